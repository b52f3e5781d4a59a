import { GantryError } from "#base/core/errors.ts";
import type { Resources } from "./contract.ts";

/** What needs a cgroup where this user may make none: refused, since a limit that is not held is worse than none. */
export function needsCgroup(doing: string, on?: string): GantryError {
  return new GantryError("unsupported", {
    doing,
    ...(on === undefined ? {} : { on }),
    because: "it needs cgroups, and a user's engine has none",
    next: "Run the engine as root for that; docs/rootless.md lists what else it takes.",
  });
}

const flags: Readonly<Record<keyof Resources, string>> = {
  memory: "memory",
  memorySwap: "memory and swap",
  memoryReservation: "memory",
  cpuQuota: "processor time",
  cpuPeriod: "processor time",
  cpuShares: "processor shares",
  cpusetCpus: "processors",
  cpusetMems: "memory nodes",
  pids: "processes",
  blkioWeight: "block I/O weight",
  blkioWeightDevice: "block I/O weight",
  blkioReadBps: "reading",
  blkioWriteBps: "writing",
  blkioReadIops: "reading",
  blkioWriteIops: "writing",
  memorySwappiness: "swapping",
  oomKillDisable: "the killing of processes",
};

/** Errors: "unsupported" naming the first limit asked for. */
export function refuseLimits(resources: Resources): void {
  for (const [name, what] of Object.entries(flags)) {
    const value = resources[name as keyof Resources];
    const none = value === undefined || value === 0 || value === -1 || value === "" || value === false;
    const empty = Array.isArray(value) && value.length === 0;
    if (!none && !empty)
      throw needsCgroup(`limit ${what} to`, typeof value === "string" ? value : JSON.stringify(value));
  }
}
