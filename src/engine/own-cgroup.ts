import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Hierarchies by which a session manager ends what a login left behind: systemd's named one, and v2. */
const hierarchies = ["systemd", "unified", "."];

/**
 * Moves a process into a cgroup of Gantry's own, so that the end of the caller's session is not its end. A hierarchy
 * that cannot be written (none mounted, read-only) is left alone: then there is no session manager to fear either.
 */
export function moveToOwnCgroup(pid: number, root = "/sys/fs/cgroup"): void {
  for (const hierarchy of hierarchies) {
    if (!existsSync(join(root, hierarchy, "cgroup.procs"))) continue;
    const own = join(root, hierarchy, "gantry", "engine");
    try {
      mkdirSync(own, { recursive: true });
      writeFileSync(join(own, "cgroup.procs"), `${pid}`);
    } catch (error) {
      if (!["EROFS", "EACCES", "EPERM", "ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? ""))
        throw error;
    }
  }
}
