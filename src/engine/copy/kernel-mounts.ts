import { statfsSync } from "node:fs";
import type { Resolution } from "#base/system/files/contract.ts";
import type { CopyRoot } from "./tasks.ts";

export function resolutionOf({ mounts }: CopyRoot): Resolution {
  return mounts === true ? "in-mounts" : "in-root";
}

/** proc, sysfs, cgroup, cgroup2, devpts, mqueue, debugfs, tracefs, securityfs, bpf (statfs(2)). */
const kernelTypes = new Set([
  0x9fa0, 0x62656572, 0x27e0eb, 0x63677270, 0x1cd1, 0x19800202, 0x64626720, 0x74726163, 0x73636673, 0xcafe4a11,
]);

/** Whether an open folder shows the kernel and not files. */
export function isKernelMount(fd: number): boolean {
  return kernelTypes.has(statfsSync(`/proc/self/fd/${fd}`).type >>> 0);
}
