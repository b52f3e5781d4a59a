import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { readLinkAt } from "#base/system/files/change.ts";
import { openFlags, openFolder, openInside, owned } from "#base/system/files/open.ts";

/** Where the kernel's own file systems go in every container. */
const kernelFolders = ["/proc", "/sys", "/dev"];

export interface MountPlace {
  readonly target: string;
  readonly isFile: boolean;
}

/**
 * Makes in `bottom` what the image `root` lacks of mounts' places: folders for the kernel's, empty files and folders
 * for the rest. A link that leads nowhere gets its place where it leads.
 */
export function makeMountPoints(root: string, bottom: string, places: readonly MountPlace[], layerTime: number): void {
  const made = new Set<string>();
  const folder = (path: string) => {
    mkdirSync(join(bottom, path), { recursive: true, mode: 0o755 });
    for (let at = path; at !== "/" && at !== "."; at = dirname(at)) made.add(at);
  };
  for (const path of kernelFolders) if (!exists(root, path)) folder(path);
  for (const { target, isFile } of places) {
    if (exists(root, target)) continue;
    const place = linkEnd(root, target);
    folder(isFile ? dirname(place) : place);
    if (!isFile) continue;
    writeFileSync(join(bottom, place), "", { mode: 0o644 });
    made.add(place);
  }
  // Children first: making one changes its folder's time.
  for (const path of [...made].sort().reverse()) utimesSync(join(bottom, path), layerTime, layerTime);
}

function exists(root: string, path: string): boolean {
  using top = openFolder(root);
  const fd = openInside(top.fd, path, "in-root", openFlags.path);
  if (fd < 0) return false;
  owned(fd)[Symbol.dispose]();
  return true;
}

/** Follows the links at a path's end; only names are computed here, the runtime resolves them again by the kernel. */
function linkEnd(root: string, path: string): string {
  using top = openFolder(root);
  let place = posix.resolve("/", path);
  for (let hops = 0; hops < 10; hops++) {
    const parent = openInside(top.fd, dirname(place), "in-root", openFlags.directory);
    if (parent < 0) return place;
    using folder = owned(parent);
    const link = readLinkAt(folder.fd, posix.basename(place));
    if (typeof link === "number") return place;
    place = posix.resolve(dirname(place), Buffer.from(link).toString("utf8"));
  }
  return place;
}
