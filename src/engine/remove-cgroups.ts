import { existsSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";

/** Removes Gantry's own empty cgroups, deepest first. One with processes of another engine in it stays. */
export function removeCgroups(root = "/sys/fs/cgroup"): void {
  for (const controller of [".", ...(existsSync(root) ? readdirSync(root) : [])]) {
    const own = join(root, controller, "gantry");
    if (existsSync(own)) removeBelow(own);
  }
}

function removeBelow(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeBelow(join(folder, entry.name));
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!["EBUSY", "ENOTEMPTY", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}
