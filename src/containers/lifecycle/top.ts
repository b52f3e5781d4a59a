import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import { cgroupProcesses } from "#base/system/cgroup/processes.ts";
import { installedProgram } from "#base/system/process/installed.ts";
import { needsCgroup } from "#containers/runtime/without-cgroups.ts";
import type { ContainerRecord, TopResult } from "./contract.ts";

const titles = ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"] as const;
const ticksPerSecond = 100;

/**
 * The processes in the container's cgroup as ps(1) on the host lists them. For the usual `-ef` they are read from
 * /proc; other words are ps's own and it is asked. Errors: "invalid" in its words.
 */
export async function readTop({ state }: ContainerRecord, words: string): Promise<TopResult> {
  if (state.status !== "running" && state.status !== "paused") return { titles, processes: [] };
  const own = processesOf(state.pid);
  if (words !== "" && words !== "-ef") return askPs(words, own);
  const bootTime = Number(/^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1] ?? 0);
  const pids = readdirSync("/proc").filter((name) => own.has(Number(name)));
  const processes = pids.flatMap((pid) => {
    const row = describe(pid, bootTime);
    return row === undefined ? [] : [row];
  });
  return { titles, processes };
}

/** Without cgroups by their pid namespace. Error "unsupported" when that is the engine's own. */
function processesOf(pid: number): ReadonlySet<number> {
  const found = cgroupProcesses(pid);
  if (found.has(pid)) return found;
  const own = pidNamespace(pid);
  if (own === pidNamespace("self")) throw needsCgroup("list the processes of a container in the host's pid namespace");
  const all = readdirSync("/proc").map(Number);
  return new Set(all.filter((one) => one > 0 && own !== undefined && pidNamespace(one) === own));
}

function pidNamespace(pid: number | "self"): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined; // It ended meanwhile.
  }
}

async function askPs(words: string, own: ReadonlySet<number>): Promise<TopResult> {
  const child = Bun.spawn([installedProgram("ps", "list processes", "procps"), ...words.split(/\s+/).filter(Boolean)], {
    env: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  const refused = (because: string) =>
    new GantryError("invalid", { doing: "list processes with ps", on: words, because });
  if ((await child.exited) !== 0) throw refused(`ps: ${err.trim().split("\n")[0] ?? "it ended with an error"}`);
  const [head = "", ...lines] = out.split("\n").filter((line) => line.trim() !== "");
  const columns = head.trim().split(/\s+/);
  const at = columns.indexOf("PID");
  if (at === -1) throw refused("Couldn't find PID field in ps output");
  const rows = lines.map((line) => {
    const fields = line.trim().split(/\s+/);
    // The last column may have blanks in it.
    return [...fields.slice(0, columns.length - 1), fields.slice(columns.length - 1).join(" ")];
  });
  return { titles: columns, processes: rows.filter((fields) => own.has(Number(fields[at]))) };
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
