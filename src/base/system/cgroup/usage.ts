import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type CgroupLayout, cgroupLayout } from "./layout.ts";
import { pathOfV1, pathOfV2 } from "./own-path.ts";

/** What a process's cgroups have used. Nanoseconds, bytes. */
export interface CgroupUsage {
  readonly version: "v1" | "v2";
  readonly cpu: {
    readonly totalNs: number;
    readonly userNs: number;
    readonly systemNs: number;
    readonly perCpuNs: readonly number[];
    readonly periods: number;
    readonly throttledPeriods: number;
    readonly throttledNs: number;
  };
  readonly memory: {
    readonly usage: number;
    readonly maximum: number;
    readonly limit: number;
    readonly stat: Readonly<Record<string, number>>;
    readonly failures: number;
  };
  readonly pids: { readonly current: number; readonly limit?: number };
  readonly blockIo: readonly {
    readonly major: number;
    readonly minor: number;
    readonly op: string;
    readonly bytes: number;
    readonly count: number;
  }[];
}

/** Reads a file of a controller ("memory", "memory.stat"); "" when there is none. */
type ReadFile = (controller: string, file: string) => string;

/** The cgroups of `pid`, read on demand: nothing is kept open or polled. All zero without a pid. */
export function readCgroup(pid: number | undefined, layout: CgroupLayout = cgroupLayout()): CgroupUsage {
  if (pid === undefined) return usageOfV1(() => "");
  const own = quietly(`/proc/${pid}/cgroup`);
  if (layout.version === "v2") return usageOfV2((_controller, file) => quietly(join(layout.root, pathOfV2(own), file)));
  if (layout.version === "none") return usageOfV1(() => "");
  return usageOfV1((controller, file) => {
    const mountPoint = layout.controllers.get(controller);
    return mountPoint === undefined ? "" : quietly(join(mountPoint, pathOfV1(own, controller), file));
  });
}

export function usageOfV1(read: ReadFile): CgroupUsage {
  const throttling = pairs(read("cpu", "cpu.stat"));
  const ticks = pairs(read("cpuacct", "cpuacct.stat"));
  const limit = number(read("pids", "pids.max"));
  return {
    version: "v1",
    cpu: {
      totalNs: number(read("cpuacct", "cpuacct.usage")) ?? 0,
      userNs: (ticks.user ?? 0) * 10_000_000,
      systemNs: (ticks.system ?? 0) * 10_000_000,
      perCpuNs: read("cpuacct", "cpuacct.usage_percpu").trim().split(/\s+/).filter(Boolean).map(Number),
      periods: throttling.nr_periods ?? 0,
      throttledPeriods: throttling.nr_throttled ?? 0,
      throttledNs: throttling.throttled_time ?? 0,
    },
    memory: {
      usage: number(read("memory", "memory.usage_in_bytes")) ?? 0,
      maximum: number(read("memory", "memory.max_usage_in_bytes")) ?? 0,
      limit: number(read("memory", "memory.limit_in_bytes")) ?? 0,
      stat: pairs(read("memory", "memory.stat")),
      failures: number(read("memory", "memory.failcnt")) ?? 0,
    },
    pids: { current: number(read("pids", "pids.current")) ?? 0, ...(limit === undefined ? {} : { limit }) },
    blockIo: blockIoOfV1(read("blkio", "blkio.throttle.io_service_bytes"), read("blkio", "blkio.throttle.io_serviced")),
  };
}

export function usageOfV2(read: ReadFile): CgroupUsage {
  const cpu = pairs(read("cpu", "cpu.stat"));
  const limit = number(read("pids", "pids.max"));
  return {
    version: "v2",
    cpu: {
      totalNs: (cpu.usage_usec ?? 0) * 1000,
      userNs: (cpu.user_usec ?? 0) * 1000,
      systemNs: (cpu.system_usec ?? 0) * 1000,
      perCpuNs: [],
      periods: cpu.nr_periods ?? 0,
      throttledPeriods: cpu.nr_throttled ?? 0,
      throttledNs: (cpu.throttled_usec ?? 0) * 1000,
    },
    memory: {
      usage: number(read("memory", "memory.current")) ?? 0,
      maximum: number(read("memory", "memory.peak")) ?? 0,
      limit: number(read("memory", "memory.max")) ?? Number.MAX_SAFE_INTEGER,
      stat: pairs(read("memory", "memory.stat")),
      failures: pairs(read("memory", "memory.events")).max ?? 0,
    },
    pids: { current: number(read("pids", "pids.current")) ?? 0, ...(limit === undefined ? {} : { limit }) },
    blockIo: read("io", "io.stat")
      .split("\n")
      .flatMap((line) => {
        const [device, ...words] = line.trim().split(/\s+/);
        const [major, minor] = (device ?? "").split(":").map(Number);
        if (major === undefined || minor === undefined) return [];
        const values = Object.fromEntries(words.map((word) => word.split("="))) as Record<string, string>;
        return [
          { major, minor, op: "read", bytes: Number(values.rbytes ?? 0), count: Number(values.rios ?? 0) },
          { major, minor, op: "write", bytes: Number(values.wbytes ?? 0), count: Number(values.wios ?? 0) },
        ];
      }),
  };
}

function blockIoOfV1(bytesText: string, countText: string): CgroupUsage["blockIo"] {
  const counts = new Map(
    countText.split("\n").map((line) => [line.split(" ").slice(0, 2).join(" "), line.split(" ")[2]]),
  );
  return bytesText.split("\n").flatMap((line) => {
    const [device, op, bytes] = line.split(" ");
    const [major, minor] = (device ?? "").split(":").map(Number);
    if (bytes === undefined || op === undefined || major === undefined || minor === undefined) return [];
    return [
      { major, minor, op: op.toLowerCase(), bytes: Number(bytes), count: Number(counts.get(`${device} ${op}`) ?? 0) },
    ];
  });
}

function pairs(text: string): Record<string, number> {
  const rows = text.split("\n").map((line) => line.trim().split(/\s+/));
  return Object.fromEntries(rows.filter((row) => row.length === 2).map(([name, value]) => [name, Number(value)]));
}

/** undefined for "max" and for nothing. */
function number(text: string): number | undefined {
  const word = text.trim();
  return /^\d+$/.test(word) ? Number(word) : undefined;
}

function quietly(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
