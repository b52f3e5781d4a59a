import { chmodMadeAt, chownAt, touchAt } from "#base/system/files/change.ts";
import type { FileStatus, FileTime } from "#base/system/files/contract.ts";
import { openFlags, openInside, owned } from "#base/system/files/open.ts";
import { mustOwn } from "#base/system/files/owner.ts";
import { statFd } from "#base/system/files/status.ts";
import { getXattrAt, listXattrsAt, setXattrAt } from "#base/system/files/xattr.ts";
import { errnoName, must, type SyscallResult } from "#base/system/libc/errno.ts";
import { inUserNamespace } from "#base/system/namespaces/user.ts";

/** Mode, owner and xattrs of a file; time apart, because children change a folder's. */
export interface Metadata {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
  readonly modified: FileTime;
}

/**
 * Which xattrs of a layer are content: capabilities, ACLs, user.* and trusted.*. Overlay's own would forge whiteouts
 * and redirects (row 6); labels (selinux, ima) belong to the host's policy.
 */
export function isLayerXattr(name: string): boolean {
  if (name === "security.capability") return true;
  if (name === "system.posix_acl_access" || name === "system.posix_acl_default") return true;
  if (name.startsWith("user.")) return !name.startsWith("user.overlay.");
  return name.startsWith("trusted.") && !name.startsWith("trusted.overlay.");
}

/** Sets one xattr; a file system or kind of file that cannot have it goes without, as with every engine. */
export function tolerateXattr(result: SyscallResult, name: string, on: string): void {
  if (result >= 0) return;
  const answer = errnoName(result);
  if (answer === "ENOTSUP" || answer === "EOPNOTSUPP") return;
  if (answer === "EPERM" && name.startsWith("user.")) return;
  // Only the machine's own root sets or sees these.
  if (answer === "EPERM" && name.startsWith("trusted.") && inUserNamespace()) return;
  must(result, { doing: `set the xattr ${name} on`, on });
}

/** Owner first: it clears setuid and capabilities. Never for a symlink's mode, which does not exist. */
export function applyMetadataAt(
  folder: number,
  base: Uint8Array,
  metadata: Metadata,
  kind: "symlink" | "other",
  on: string,
): void {
  mustOwn(chownAt(folder, base, metadata.uid, metadata.gid), metadata.uid, metadata.gid, on);
  if (kind === "other") must(chmodMadeAt(folder, base, metadata.mode), { doing: "set the mode of", on });
  for (const [name, value] of metadata.xattrs) tolerateXattr(setXattrAt(folder, base, name, value), name, on);
}

export function touchFolder(root: number, path: Uint8Array, time: FileTime): void {
  const opened = openInside(root, path.length === 0 ? "." : path, "in-root", openFlags.directory | openFlags.path);
  // Replaced by a later entry: then nothing is left to date.
  if (opened < 0) return;
  using folder = owned(opened);
  must(touchAt(folder.fd, ".", time), { doing: "set the time of a folder" });
}

const dot = Buffer.from(".");

/** What a folder of that name is in the nearest lower layer that has it as a folder. */
export function folderMetadata(lowers: readonly number[], path: Uint8Array): Metadata | undefined {
  for (const lower of lowers) {
    const opened = openInside(lower, path.length === 0 ? "." : path, "in-root", openFlags.directory | openFlags.path);
    if (opened < 0) continue;
    using folder = owned(opened);
    const status = statFd(folder.fd) as FileStatus;
    return { ...status, xattrs: contentXattrs(folder.fd, dot) };
  }
  return undefined;
}

/** The xattrs that are content. */
export function contentXattrs(folder: number, base: Uint8Array): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  const names = listXattrsAt(folder, base);
  if (typeof names === "number") return found;
  for (const name of names) {
    if (!isLayerXattr(name)) continue;
    const value = getXattrAt(folder, base, name);
    if (typeof value !== "number") found.set(name, value);
  }
  return found;
}
