import { readdirSync, readFileSync } from "node:fs";

/** Proportional set size of processes, in MB. One that ended meanwhile counts as nothing. */
export function proportionalMemory(pids: readonly number[]): number {
  let kilobytes = 0;
  for (const pid of pids) {
    const found = /^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`));
    kilobytes += Number(found?.[1] ?? 0);
  }
  return kilobytes / 1024;
}

/** Processor time used by processes so far, in milliseconds. */
export function processorTime(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const fields = read(`/proc/${pid}/stat`)
      .replace(/^.*\) /s, "")
      .split(" ");
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  }
  return ticks * 10;
}

/** Processes whose command line has `word` in it. */
export function processesWith(word: string): number[] {
  return allProcesses().filter((pid) => read(`/proc/${pid}/cmdline`).includes(word));
}

/** The process and all that descend from it and pass `keep`. */
export function family(pid: number, keep: (name: string) => boolean): number[] {
  const children = new Map<number, number[]>();
  for (const child of allProcesses()) {
    const parent = Number(/^PPid:\s+(\d+)/m.exec(read(`/proc/${child}/status`))?.[1] ?? 0);
    children.set(parent, [...(children.get(parent) ?? []), child]);
  }
  const walk = (id: number): number[] => [
    id,
    ...(children.get(id) ?? []).filter((child) => keep(read(`/proc/${child}/comm`).trim())).flatMap(walk),
  ];
  return walk(pid);
}

export function mountsOf(pid: number): number {
  return read(`/proc/${pid}/mountinfo`).split("\n").length - 1;
}

export function isAlive(pid: number): boolean {
  const state = read(`/proc/${pid}/stat`).replace(/^.*\) /s, "")[0];
  return state !== undefined && state !== "Z";
}

/** Asks with SIGTERM, insists after `patience` milliseconds. */
export async function end(pid: number, patience = 15_000): Promise<void> {
  if (!isAlive(pid)) return;
  process.kill(pid, "SIGTERM");
  for (let waited = 0; isAlive(pid); waited += 20) {
    if (waited === patience) process.kill(pid, "SIGKILL");
    await Bun.sleep(20);
  }
}

function allProcesses(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return "";
    throw error;
  }
}
