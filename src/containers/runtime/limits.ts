import { readFileSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import type { ResourcesSpec, RlimitSpec } from "#formats/oci/runtime-spec.ts";
import { blockLimits } from "./block-limits.ts";
import type { Resources, Ulimit } from "./contract.ts";

/** getrlimit(2)'s RLIM_INFINITY: 2^64 - 1 to the digit, which no JavaScript number is. */
const unlimited = (JSON as unknown as { rawJSON(text: string): number }).rawJSON("18446744073709551615");

const limitRows: Readonly<Record<string, string>> = {
  core: "Max core file size",
  cpu: "Max cpu time",
  data: "Max data size",
  fsize: "Max file size",
  locks: "Max file locks",
  memlock: "Max locked memory",
  msgqueue: "Max msgqueue size",
  nice: "Max nice priority",
  nofile: "Max open files",
  nproc: "Max processes",
  rss: "Max resident set",
  rtprio: "Max realtime priority",
  rttime: "Max realtime timeout",
  sigpending: "Max pending signals",
  stack: "Max stack size",
};

/** The hard limit of each name in this process, Infinity for none. */
export type HardLimits = Readonly<Record<string, number>>;

export function readHardLimits(text = readFileSync("/proc/self/limits", "utf8")): HardLimits {
  const found: Record<string, number> = {};
  for (const [name, row] of Object.entries(limitRows)) {
    const line = text.split("\n").find((candidate) => candidate.startsWith(row));
    const hard = line?.slice(row.length).trim().split(/\s+/)[1];
    if (hard !== undefined) found[name] = hard === "unlimited" ? Number.POSITIVE_INFINITY : Number(hard);
  }
  return found;
}

/** Room enough for most programs; a soft limit much higher slows those that close every possible descriptor. */
const defaults: readonly Ulimit[] = [{ name: "nofile", soft: 1024, hard: 524_288 }];

/** Defaults are clipped to the machine's hard limits; what was asked for above one is refused. */
export function rlimitsFor(asked: readonly Ulimit[], hardLimits: HardLimits): RlimitSpec[] {
  const wanted = asked.map((limit) => checked(limit, hardLimits));
  const silent = defaults
    .filter((limit) => !wanted.some((other) => other.name === limit.name))
    .map(({ name, soft, hard }) => {
      const ceiling = hardLimits[name] ?? hard;
      return { name, soft: Math.min(soft, ceiling), hard: Math.min(hard, ceiling) };
    });
  return [...silent, ...wanted].map(({ name, soft, hard }) => ({
    type: `RLIMIT_${name.toUpperCase()}`,
    soft: Number.isFinite(soft) ? soft : unlimited,
    hard: Number.isFinite(hard) ? hard : unlimited,
  }));
}

function checked(limit: Ulimit, hardLimits: HardLimits): Ulimit {
  const name = limit.name.toLowerCase().replace(/^rlimit_/, "");
  const ceiling = hardLimits[name];
  if (ceiling === undefined) {
    throw refused(limit.name, "there is no limit of that name", `Known are: ${Object.keys(limitRows).join(", ")}.`);
  }
  const soft = limit.soft === -1 ? Number.POSITIVE_INFINITY : limit.soft;
  const hard = limit.hard === -1 ? Number.POSITIVE_INFINITY : limit.hard;
  if (Number.isNaN(soft) || Number.isNaN(hard) || soft < 0 || hard < 0) {
    throw refused(name, "its values are no limits", "Use whole numbers, or -1 for unlimited.");
  }
  if (soft > hard) throw refused(name, `its soft value ${limit.soft} is above its hard value ${limit.hard}`);
  if (hard > ceiling) {
    throw refused(
      name,
      `${limit.hard === -1 ? "unlimited" : limit.hard} is above this machine's hard limit of ${ceiling}`,
      `Ask for ${ceiling} at most.`,
    );
  }
  return { name, soft, hard };
}

function refused(name: string, because: string, next?: string): GantryError {
  return new GantryError("invalid", {
    doing: "set the ulimit",
    on: name,
    because,
    ...(next === undefined ? {} : { next }),
  });
}

const smallestMemory = 512 * 1024;

/** The limits as the runtime specification has them. Errors: "invalid" naming the value and the bound. */
export function resourceLimits(asked: Resources): Omit<ResourcesSpec, "devices"> {
  const { memory, memorySwap, memoryReservation } = asked;
  if (memory !== undefined && memory < smallestMemory) {
    throw limit("memory", memory, `the least is ${smallestMemory} bytes (512 KiB)`);
  }
  if (memorySwap !== undefined && memorySwap !== -1) {
    if (memory === undefined) throw limit("memory and swap", memorySwap, "it needs a memory limit too");
    if (memorySwap < memory) throw limit("memory and swap", memorySwap, `it is below the memory limit of ${memory}`);
  }
  if (memoryReservation !== undefined && memory !== undefined && memoryReservation > memory) {
    throw limit("memory reservation", memoryReservation, `it is above the memory limit of ${memory}`);
  }
  within("cpu period", asked.cpuPeriod, 1000, 1_000_000);
  within("cpu quota", asked.cpuQuota === -1 ? undefined : asked.cpuQuota, 1000, Number.MAX_SAFE_INTEGER);
  within("cpu shares", asked.cpuShares, 2, 262_144);
  within("blkio weight", asked.blkioWeight, 10, 1000);
  for (const set of [asked.cpusetCpus, asked.cpusetMems]) {
    if (set !== undefined && !/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(set)) {
      throw limit("cpuset", set, 'it reads like "0-2,4"');
    }
  }
  within("memory swappiness", asked.memorySwappiness, 0, 100);
  const blockIo = blockLimits(asked);
  // As Docker: a memory limit alone allows as much swap again.
  const swap = memorySwap ?? (memory === undefined ? undefined : memory * 2);
  return {
    memory: defined({
      limit: memory,
      swap,
      reservation: memoryReservation,
      swappiness: asked.memorySwappiness,
      disableOOMKiller: asked.oomKillDisable,
    }),
    cpu: defined({
      quota: asked.cpuQuota,
      period: asked.cpuPeriod,
      shares: asked.cpuShares,
      cpus: asked.cpusetCpus,
      mems: asked.cpusetMems,
    }),
    ...(asked.pids === undefined || asked.pids <= 0 ? {} : { pids: { limit: asked.pids } }),
    ...(blockIo === undefined ? {} : { blockIO: blockIo }),
  };
}

function within(name: string, value: number | undefined, least: number, most: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return;
  throw limit(name, value, `it must be a whole number from ${least} to ${most}`);
}

function limit(name: string, value: number | string, because: string): GantryError {
  return new GantryError("invalid", { doing: `limit ${name} to`, on: String(value), because });
}

type Defined<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}
