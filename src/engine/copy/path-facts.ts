import { GantryError } from "#base/core/errors.ts";
import { chmodFd, chownFd, readLinkAt } from "#base/system/files/change.ts";
import type { FileStatus } from "#base/system/files/contract.ts";
import { openFlags, openFolder, openInside, owned } from "#base/system/files/open.ts";
import { statAt, statFd } from "#base/system/files/status.ts";
import { errnoName, must } from "#base/system/libc/errno.ts";
import { resolutionOf } from "./kernel-mounts.ts";
import type { CopyRoot, PathFacts } from "./tasks.ts";

/** Go's os.FileMode bits beside the permissions. */
const goBits: Readonly<Record<FileStatus["kind"], number>> = {
  file: 0,
  directory: 2 ** 31,
  symlink: 2 ** 27,
  block: 2 ** 26,
  character: 2 ** 26 + 2 ** 21,
  fifo: 2 ** 25,
  socket: 2 ** 24,
};

/**
 * The folder to open inside the root and the name in it. ".." is never a name: looked up by descriptor it would lead
 * out of the root, so such a path is opened whole.
 */
export function lastStep(path: string): { readonly above: string; readonly name: string } {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  const last = parts.at(-1);
  if (last === undefined || last === "..") return { above: `/${parts.join("/")}`, name: "." };
  return { above: `/${parts.slice(0, -1).join("/")}`, name: last };
}

export function factsOf({ path, ...root }: CopyRoot & { readonly path: string }): PathFacts {
  using top = openFolder(root.root);
  const { above: folderAbove, name } = lastStep(path);
  const missing = { doing: "find in the container", on: path, because: "there is no such file or folder" };
  const above = openInside(top.fd, folderAbove, resolutionOf(root), openFlags.directory);
  if (above < 0 && ["ENOENT", "ENOTDIR"].includes(errnoName(above))) throw new GantryError("not-found", missing);
  using folder = owned(must(above, { doing: missing.doing, on: path }));
  const status = statAt(folder.fd, name);
  if (status === undefined || typeof status === "number") throw new GantryError("not-found", missing);
  const link = status.kind === "symlink" ? readLinkAt(folder.fd, name) : new Uint8Array();
  return {
    name: name === "." ? "/" : name,
    size: status.size,
    mode: goBits[status.kind] + (status.mode & 0o777),
    modified: status.modified.seconds * 1000,
    device: status.device,
    linkTarget: typeof link === "number" ? "" : Buffer.from(link).toString("utf8"),
  };
}

export function copyOwner({
  root,
  path,
  to,
}: {
  readonly root: string;
  readonly path: string;
  readonly to: string;
}): boolean {
  using top = openFolder(root);
  const opened = openInside(top.fd, path, "in-root", openFlags.directory);
  if (opened < 0) return false;
  using from = owned(opened);
  const status = statFd(from.fd);
  if (typeof status === "number") return false;
  using target = openFolder(to);
  const doing = { doing: "give the volume its owner", on: to };
  must(chownFd(target.fd, status.uid, status.gid), doing);
  must(chmodFd(target.fd, status.mode), doing);
  return true;
}
