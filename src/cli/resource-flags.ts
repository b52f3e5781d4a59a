import type { Command } from "commander";
import type { HostConfig } from "#formats/docker/container.ts";
import { numberFlag } from "./number-flag.ts";
import { parseSize } from "./size-flag.ts";

/** Limits, the same for `run`, `create` and `update`. */
export interface ResourceFlags {
  readonly cpuPeriod?: string;
  readonly cpuQuota?: string;
  readonly cpuShares?: string;
  readonly cpus?: string;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  readonly memory?: string;
  readonly memoryReservation?: string;
  readonly memorySwap?: string;
  readonly pidsLimit?: string;
}

export function declareResourceFlags(command: Command): void {
  command
    .option("--cpu-period <microseconds>", "length of a scheduling period")
    .option("--cpu-quota <microseconds>", "processor time a period")
    .option("-c, --cpu-shares <weight>", "relative weight, default 1024")
    .option("--cpus <number>", "processors at most, as 1.5")
    .option("--cpuset-cpus <list>", "processors it may use, as 0-2,4")
    .option("--cpuset-mems <list>", "memory nodes it may use")
    .option("-m, --memory <size>", "memory at most, as 512m")
    .option("--memory-reservation <size>", "memory kept under pressure")
    .option("--memory-swap <size>", "memory and swap at most; -1 is unlimited swap")
    .option("--pids-limit <number>", "processes at most; -1 is unlimited");
}

/** Only what was asked for. Errors: "invalid", naming the flag. */
export function resourceFlags(flags: ResourceFlags): HostConfig {
  const cpus = numberFlag(flags.cpus, "cpus");
  return {
    ...defined("Memory", parseSize(flags.memory, "memory")),
    ...defined("MemoryReservation", parseSize(flags.memoryReservation, "memory-reservation")),
    ...defined("MemorySwap", flags.memorySwap === "-1" ? -1 : parseSize(flags.memorySwap, "memory-swap")),
    ...defined("NanoCpus", cpus === undefined ? undefined : Math.round(cpus * 1e9)),
    ...defined("CpuShares", numberFlag(flags.cpuShares, "cpu-shares")),
    ...defined("CpuPeriod", numberFlag(flags.cpuPeriod, "cpu-period")),
    ...defined("CpuQuota", numberFlag(flags.cpuQuota, "cpu-quota")),
    ...defined("CpusetCpus", flags.cpusetCpus),
    ...defined("CpusetMems", flags.cpusetMems),
    ...defined("PidsLimit", numberFlag(flags.pidsLimit, "pids-limit")),
  };
}

function defined<K extends keyof HostConfig>(name: K, value: HostConfig[K] | undefined): HostConfig {
  return value === undefined ? {} : { [name]: value };
}
