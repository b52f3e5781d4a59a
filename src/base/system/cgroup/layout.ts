import { type MountEntry, readMountTable } from "#base/system/mounts/table.ts";

/** How this thread sees the machine's cgroups. `hybrid` is v1 with a v2 hierarchy beside it, which crun refuses. */
export type CgroupLayout =
  | { readonly version: "v1"; readonly controllers: ReadonlyMap<string, string> }
  | { readonly version: "hybrid"; readonly controllers: ReadonlyMap<string, string>; readonly unified: string }
  | { readonly version: "v2"; readonly root: string }
  | { readonly version: "none" };

/** `controllers` gives each v1 controller's mount point. */
export function cgroupLayout(table: readonly MountEntry[] = readMountTable()): CgroupLayout {
  const controllers = new Map<string, string>();
  let unified: string | undefined;
  for (const entry of table) {
    if (entry.type === "cgroup2") unified ??= entry.mountPoint;
    if (entry.type !== "cgroup") continue;
    for (const name of entry.superOptions) {
      if (knownControllers.has(name)) controllers.set(name, entry.mountPoint);
    }
  }
  if (controllers.size === 0) return unified === undefined ? { version: "none" } : { version: "v2", root: unified };
  return unified === undefined ? { version: "v1", controllers } : { version: "hybrid", controllers, unified };
}

const knownControllers = new Set(
  "blkio cpu cpuacct cpuset devices freezer hugetlb memory net_cls net_prio perf_event pids rdma misc".split(" "),
);
