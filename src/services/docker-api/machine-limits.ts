import { existsSync } from "node:fs";
import { join } from "node:path";
import { type CgroupLayout, cgroupLayout } from "#base/system/cgroup/layout.ts";

/** What the cgroups of this machine can limit, in the words of GET /info. */
export interface MachineLimits {
  readonly MemoryLimit: boolean;
  readonly SwapLimit: boolean;
  readonly CpuCfsPeriod: boolean;
  readonly CpuCfsQuota: boolean;
  readonly CPUShares: boolean;
  readonly CPUSet: boolean;
  readonly PidsLimit: boolean;
  readonly OomKillDisable: boolean;
}

export function limitsOfMachine(layout: CgroupLayout = cgroupLayout()): MachineLimits {
  const v2 = layout.version === "v2";
  const has = (controller: string, file: string): boolean => {
    if (layout.version === "none") return false;
    if (layout.version === "v2") return true;
    const folder = layout.controllers.get(controller);
    return folder !== undefined && existsSync(join(folder, file));
  };
  return {
    MemoryLimit: has("memory", "memory.limit_in_bytes"),
    SwapLimit: has("memory", "memory.memsw.limit_in_bytes"),
    CpuCfsPeriod: has("cpu", "cpu.cfs_period_us") || has("cpu", "cpu.shares"),
    CpuCfsQuota: has("cpu", "cpu.cfs_quota_us") || has("cpu", "cpu.shares"),
    CPUShares: has("cpu", "cpu.shares"),
    CPUSet: has("cpuset", "cpuset.cpus"),
    PidsLimit: has("pids", "cgroup.procs"),
    // Version 2 has no such switch.
    OomKillDisable: !v2 && has("memory", "memory.oom_control"),
  };
}
