import { dlopen } from "bun:ffi";
import { type SyscallResult, syscallResult } from "#base/system/libc/errno.ts";
import { type Bytes, cString } from "#base/system/libc/text.ts";
import type { FileKind, FileStatus } from "./contract.ts";

const libc = dlopen("libc.so.6", {
  statx: { args: ["i32", "ptr", "i32", "u32", "ptr"], returns: "i32" },
}).symbols;

const symlinkNoFollow = 0x100;
const emptyPath = 0x1000;
/** STATX_BASIC_STATS. */
const basic = 0x7ff;
const enoent = -2;

const buffer = new Uint8Array(256);
const view = new DataView(buffer.buffer);
const nothing = cString("");

// A Map: Bun 1.4.5 reads an octal number as a property's name wrongly.
const kindByFormat = new Map<number, FileKind>([
  [0o100000, "file"],
  [0o040000, "directory"],
  [0o120000, "symlink"],
  [0o020000, "character"],
  [0o060000, "block"],
  [0o010000, "fifo"],
  [0o140000, "socket"],
]);

function wide(at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}

function time(at: number) {
  return { seconds: Number(view.getBigInt64(at, true)), nanoseconds: view.getUint32(at + 8, true) };
}

function read(): FileStatus {
  const mode = view.getUint16(28, true);
  return {
    kind: kindByFormat.get(mode & 0o170000) ?? "file",
    mode: mode & 0o7777,
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    size: wide(40),
    allocated: wide(48) * 512,
    links: view.getUint32(16, true),
    inode: wide(32),
    device: `${view.getUint32(136, true)}:${view.getUint32(140, true)}`,
    major: view.getUint32(128, true),
    minor: view.getUint32(132, true),
    modified: time(112),
    changed: time(96),
  };
}

/** What `name` in `folder` is, itself if it is a symlink; undefined when it does not exist; else minus an errno. */
export function statAt(folder: number, name: Bytes): FileStatus | undefined | SyscallResult {
  const result = syscallResult(libc.statx(folder, cString(name), symlinkNoFollow, basic, buffer));
  if (result === enoent) return undefined;
  return result < 0 ? result : read();
}

/** What an open descriptor is; also of O_PATH ones. */
export function statFd(fd: number): FileStatus | SyscallResult {
  const result = syscallResult(libc.statx(fd, nothing, emptyPath, basic, buffer));
  return result < 0 ? result : read();
}
