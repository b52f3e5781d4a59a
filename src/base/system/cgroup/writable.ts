import { accessSync, constants } from "node:fs";
import { inUserNamespace } from "#base/system/namespaces/user.ts";
import { cgroupLayout } from "./layout.ts";

/** Whether this process may make cgroups: root may, a user's root only below a v2 group that was handed to it. */
export function mayMakeCgroups(): boolean {
  if (!inUserNamespace()) return true;
  const layout = cgroupLayout();
  if (layout.version !== "v2") return false;
  try {
    for (const name of ["", "/cgroup.procs", "/cgroup.subtree_control"]) {
      accessSync(`${layout.root}${name}`, constants.W_OK);
    }
    return true;
  } catch (error) {
    if (["EACCES", "EPERM", "EROFS", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
  }
}
