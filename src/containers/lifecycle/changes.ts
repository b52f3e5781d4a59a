import { type Dirent, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Change } from "./contract.ts";

/**
 * What an overlay's upper folder changed: a character device 0:0 is a deletion, what no lower folder has is an
 * addition, the rest is modified. Parents of a change are listed as modified, as `docker diff` does.
 */
export function changesOf(upper: string, lowers: readonly string[]): Change[] {
  const changes: Change[] = [];
  walk("/", "");
  return changes;

  function walk(shown: string, inner: string): void {
    const entries: Dirent[] = readdirSync(join(upper, inner), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(shown, entry.name);
      const below = join(inner, entry.name);
      if (isWhiteout(entry, join(upper, below))) {
        changes.push({ path, kind: "deleted" });
        continue;
      }
      changes.push({ path, kind: lowers.some((lower) => exists(join(lower, below))) ? "modified" : "added" });
      if (entry.isDirectory()) walk(path, below);
    }
  }
}

function isWhiteout(entry: Dirent, path: string): boolean {
  return entry.isCharacterDevice() && lstatSync(path).rdev === 0;
}

/** Links on the way are not followed out: a lower folder's own entry counts, whatever it is. */
function exists(path: string): boolean {
  try {
    const status = lstatSync(path);
    return !(status.isCharacterDevice() && status.rdev === 0);
  } catch {
    return false;
  }
}
