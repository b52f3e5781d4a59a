import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { ContainerRecord, TopResult } from "./contract.ts";

const titles = ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"] as const;
const ticksPerSecond = 100;

/** The processes in the container's pid namespace, as `ps -ef` on the host would list them. No process is spawned. */
export function readTop({ state }: ContainerRecord): TopResult {
  if (state.status !== "running" && state.status !== "paused") return { titles, processes: [] };
  const own = pidNamespace(state.pid);
  const bootTime = Number(/^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1] ?? 0);
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const processes = pids
    .filter((pid) => own !== undefined && pidNamespace(Number(pid)) === own)
    .flatMap((pid) => {
      const row = describe(pid, bootTime);
      return row === undefined ? [] : [row];
    });
  return { titles, processes };
}

function pidNamespace(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}

function describe(pid: string, bootTime: number): string[] | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").replace(/\0$/, "").split("\0").join(" ");
    const name = /\((.*)\)/s.exec(stat)?.[1] ?? "?";
    // After the name: state is field 3 of proc_pid_stat(5).
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = Number(fields[11]) + Number(fields[12]);
    const started = new Date((bootTime + Number(fields[19]) / ticksPerSecond) * 1000);
    const seconds = Math.floor(ticks / ticksPerSecond);
    return [
      /^Uid:\s+(\d+)/m.exec(status)?.[1] ?? "?",
      pid,
      fields[1] ?? "?",
      "0",
      started.toTimeString().slice(0, 5),
      fields[4] === "0" ? "?" : "pts/0",
      [seconds / 3600, (seconds / 60) % 60, seconds % 60]
        .map((part) => String(Math.floor(part)).padStart(2, "0"))
        .join(":"),
      words === "" ? `[${name}]` : words,
    ];
  } catch {
    return undefined; // It ended meanwhile.
  }
}
