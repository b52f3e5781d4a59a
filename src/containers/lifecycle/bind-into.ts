import { statSync } from "node:fs";
import { makeFolderAt } from "#base/system/files/change.ts";
import type { OpenFile } from "#base/system/files/contract.ts";
import { openAt, openFlags, openFolder, openInside, owned } from "#base/system/files/open.ts";
import { errnoName, must } from "#base/system/libc/errno.ts";
import { mount, mountFlags } from "#base/system/mounts/mount.ts";
import type { VolumeBind } from "./tasks.ts";

/**
 * Binds a folder or file at a place below `root`. The place is resolved by the kernel inside the root and used by its
 * descriptor: a link in an image never leads a mount out of it.
 */
export function bindInto(root: string, { source, target, readonly }: VolumeBind): void {
  using top = openFolder(root);
  const doing = { doing: "mount into the container at", on: target };
  const isFolder = statSync(source).isDirectory();
  {
    using place = placeFor(top, target, isFolder);
    mount({ source, target: `/proc/self/fd/${place.fd}`, flags: mountFlags.bind | mountFlags.recursive });
  }
  if (!readonly) return;
  // Opened again it is the mount and not what is under it.
  using mounted = owned(must(openInside(top.fd, target, "in-mounts", openFlags.path), doing));
  const flags = mountFlags.bind | mountFlags.remount | mountFlags.readonly;
  mount({ target: `/proc/self/fd/${mounted.fd}`, flags });
}

/** Opens the place of a mount below `top`, making what is missing of it. */
export function placeFor(top: OpenFile, target: string, isFolder: boolean): OpenFile {
  const doing = { doing: "make the mount point", on: target };
  const found = openInside(top.fd, target, "in-mounts", openFlags.path);
  if (found >= 0) return owned(found);
  if (errnoName(found) !== "ENOENT") must(found, doing);
  const names = target.split("/").filter((name) => name !== "");
  const folders = isFolder ? names : names.slice(0, -1);
  for (let depth = 0; depth < folders.length; depth += 1) {
    using above = owned(
      must(openInside(top.fd, `/${folders.slice(0, depth).join("/")}`, "in-mounts", openFlags.directory), doing),
    );
    const made = makeFolderAt(above.fd, folders[depth]!, 0o755);
    if (made < 0 && errnoName(made) !== "EEXIST") must(made, doing);
  }
  if (!isFolder) {
    using above = owned(must(openInside(top.fd, `/${folders.join("/")}`, "in-mounts", openFlags.directory), doing));
    const flags = openFlags.write | openFlags.create | openFlags.exclusive | openFlags.noFollow;
    owned(must(openAt(above.fd, names.at(-1)!, flags, 0o644), doing))[Symbol.dispose]();
  }
  return owned(must(openInside(top.fd, target, "in-mounts", openFlags.path), doing));
}
