import { availableParallelism } from "node:os";
import { GantryError } from "#base/core/errors.ts";
import type { Resources, Ulimit } from "#containers/runtime/contract.ts";
import type { HostConfig } from "#formats/docker/container.ts";

const period = 100_000;
const leastMemory = 512 * 1024;

/** The limits of a HostConfig; 0 and absent both mean none. */
export function resourcesOf(host: HostConfig): Resources {
  if (host.NanoCpus && (host.CpuQuota || host.CpuPeriod)) {
    throw new GantryError("invalid", {
      doing: "limit the processors",
      because: "--cpus cannot go together with --cpu-quota or --cpu-period",
    });
  }
  if (host.Memory && host.Memory < leastMemory) {
    throw new GantryError("invalid", {
      doing: "limit the memory to",
      on: `${host.Memory}`,
      because: `the least is ${leastMemory} bytes (512 KiB)`,
    });
  }
  if (host.MemorySwap && host.MemorySwap > 0 && (!host.Memory || host.MemorySwap < host.Memory)) {
    throw new GantryError("invalid", {
      doing: "limit memory and swap to",
      on: `${host.MemorySwap}`,
      because: host.Memory ? `the memory alone is ${host.Memory}` : "there is no memory limit",
      next: "Memory and swap together must be at least the memory limit; set it with --memory.",
    });
  }
  const processors = availableParallelism();
  if (host.NanoCpus && (host.NanoCpus < 0 || host.NanoCpus > processors * 1e9)) {
    throw new GantryError("invalid", {
      doing: "limit the processors to",
      on: `${host.NanoCpus / 1e9}`,
      because: `this machine has ${processors}`,
      next: `Ask for 0.01 to ${processors}.`,
    });
  }
  const quota = host.NanoCpus ? Math.round((host.NanoCpus / 1e9) * period) : host.CpuQuota;
  const cpuPeriod = host.NanoCpus ? period : host.CpuPeriod;
  return {
    ...(host.Memory ? { memory: host.Memory } : {}),
    ...(host.MemorySwap ? { memorySwap: host.MemorySwap } : {}),
    ...(host.MemoryReservation ? { memoryReservation: host.MemoryReservation } : {}),
    ...(quota ? { cpuQuota: quota } : {}),
    ...(cpuPeriod ? { cpuPeriod } : {}),
    ...(host.CpuShares ? { cpuShares: host.CpuShares } : {}),
    ...(host.CpusetCpus ? { cpusetCpus: host.CpusetCpus } : {}),
    ...(host.CpusetMems ? { cpusetMems: host.CpusetMems } : {}),
    ...(host.PidsLimit ? { pids: host.PidsLimit } : {}),
    ...(isGiven(host.MemorySwappiness) ? { memorySwappiness: host.MemorySwappiness } : {}),
    ...(host.OomKillDisable === true ? { oomKillDisable: true } : {}),
  };
}

/** -1 is Docker's word for none. */
function isGiven(swappiness: number | null | undefined): swappiness is number {
  return swappiness !== undefined && swappiness !== null && swappiness !== -1;
}

export function ulimitsOf(host: HostConfig): Ulimit[] {
  return (host.Ulimits ?? []).map((limit) => ({ name: limit.Name, soft: limit.Soft, hard: limit.Hard }));
}

interface Security {
  readonly noNewPrivileges: boolean;
  readonly seccomp?: "default" | "unconfined" | Readonly<Record<string, unknown>>;
}

/** `--security-opt`; an option that names something this machine has no part for is refused, never dropped. */
export function securityOf(host: HostConfig): Security {
  let noNewPrivileges = false;
  let seccomp: Security["seccomp"];
  for (const option of host.SecurityOpt ?? []) {
    const at = option.search(/[=:]/);
    const name = at === -1 ? option : option.slice(0, at);
    const value = at === -1 ? "" : option.slice(at + 1);
    if (name === "no-new-privileges") noNewPrivileges = value !== "false";
    else if (name === "seccomp") seccomp = seccompOf(value);
    else if (name === "label" && value === "disable") continue;
    else if (name === "apparmor" && value === "unconfined") continue;
    else {
      throw new GantryError("unsupported", {
        doing: "apply the security option",
        on: option,
        because: "this engine knows no-new-privileges, seccomp=unconfined and seccomp=PROFILE",
      });
    }
  }
  return { noNewPrivileges, ...(seccomp === undefined ? {} : { seccomp }) };
}

function seccompOf(value: string): NonNullable<Security["seccomp"]> {
  if (value === "unconfined") return "unconfined";
  if (value === "builtin" || value === "default" || value === "") return "default";
  try {
    const profile: unknown = JSON.parse(value);
    if (typeof profile === "object" && profile !== null && !Array.isArray(profile))
      return profile as Record<string, unknown>;
  } catch (cause) {
    throw new GantryError("invalid", { doing: "read the seccomp profile", because: "it is not JSON", cause });
  }
  throw new GantryError("invalid", { doing: "read the seccomp profile", because: "it is no JSON object" });
}
