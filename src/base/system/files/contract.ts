/**
 * Files as the kernel has them: by open folder and name, names as bytes, nothing followed that was not asked for.
 * `openInside` and `RootedTree` resolve names that came from outside, in the kernel (openat2), never by string work.
 * Every call is synchronous; those on many or big files belong in a Worker. Errors are GantryErrors made from errno
 * (ENOENT "not-found", ENOSPC "exhausted", ELOOP and EXDEV "denied").
 */
import type { Bytes } from "#base/system/libc/text.ts";

export type FileKind = "file" | "directory" | "symlink" | "character" | "block" | "fifo" | "socket";

export interface FileTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

export interface FileStatus {
  readonly kind: FileKind;
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Allocated bytes. */
  readonly allocated: number;
  readonly links: number;
  readonly inode: number;
  /** The file system's device as "major:minor". */
  readonly device: string;
  /** Of a device node. */
  readonly major: number;
  readonly minor: number;
  readonly modified: FileTime;
  readonly changed: FileTime;
}

/** An open descriptor, closed with `using`. */
export interface OpenFile extends Disposable {
  readonly fd: number;
}

/**
 * How a name below a root may be resolved.
 * - "beneath": no symlink on the way, nothing outside, no other mount (RESOLVE_BENEATH, NO_SYMLINKS, NO_XDEV)
 * - "in-root": as if the root were "/": absolute links and ".." stay inside, and no other mount (RESOLVE_IN_ROOT,
 *   NO_MAGICLINKS, NO_XDEV)
 * - "in-mounts": the same, into what is mounted below the root too (RESOLVE_IN_ROOT, NO_MAGICLINKS, no NO_XDEV)
 */
export type Resolution = "beneath" | "in-root" | "in-mounts";

/** A lock on an open file that ends with the process (flock(2)). */
export interface FileLock extends Disposable {
  readonly path: string;
}

export interface DirectoryEntry {
  readonly name: Uint8Array;
  /** undefined where the file system does not say: ask `statAt`. */
  readonly kind: FileKind | undefined;
  readonly inode: number;
}

export type { Bytes };
