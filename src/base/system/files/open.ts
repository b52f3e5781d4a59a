import { dlopen, FFIType } from "bun:ffi";
import { must, type SyscallResult, syscallResult } from "#base/system/libc/errno.ts";
import { type Bytes, cString } from "#base/system/libc/text.ts";
import type { OpenFile, Resolution } from "./contract.ts";

const libc = dlopen("libc.so.6", {
  openat: { args: ["i32", "ptr", "i32", "u32"], returns: "i32" },
  // openat2(2) has no wrapper in glibc 2.36.
  syscall: { args: ["i64", "i64", "ptr", "ptr", "u64"], returns: FFIType.i64_fast },
  close: { args: ["i32"], returns: "i32" },
}).symbols;

/** open(2) flags, as x86-64 and arm64 share them but for the two named by architecture. */
const arm = process.arch === "arm64";
export const openFlags = {
  read: 0,
  write: 1,
  readWrite: 2,
  create: 0o100,
  exclusive: 0o200,
  truncate: 0o1000,
  nonBlock: 0o4000,
  directory: arm ? 0o40000 : 0o200000,
  noFollow: arm ? 0o100000 : 0o400000,
  closeOnExec: 0o2000000,
  path: 0o10000000,
} as const;

const sysOpenat2 = 437;
const resolveFlags: Readonly<Record<Resolution, number>> = {
  // RESOLVE_NO_XDEV | NO_MAGICLINKS | NO_SYMLINKS | BENEATH
  beneath: 0x01 | 0x02 | 0x04 | 0x08,
  // RESOLVE_NO_XDEV | NO_MAGICLINKS | IN_ROOT
  "in-root": 0x01 | 0x02 | 0x10,
  // RESOLVE_NO_MAGICLINKS | IN_ROOT
  "in-mounts": 0x02 | 0x10,
};
const eagain = -11;

/** The process's working folder, as a folder descriptor (AT_FDCWD). */
export const currentFolder = -100;

/** openat(2), always close-on-exec. Gives a descriptor or minus an errno. */
export function openAt(folder: number, name: Bytes, flags: number, mode = 0): SyscallResult {
  return syscallResult(libc.openat(folder, cString(name), flags | openFlags.closeOnExec, mode));
}

const how = new BigUint64Array(3);

/** openat2(2) below `root`. `path` is relative or, with "in-root" and "in-mounts", absolute in it. A descriptor or minus an errno. */
export function openInside(root: number, path: Bytes, resolution: Resolution, flags: number, mode = 0): SyscallResult {
  const text = cString(path);
  for (let tries = 0; ; tries++) {
    how[0] = BigInt(flags | openFlags.closeOnExec);
    how[1] = BigInt(mode);
    how[2] = BigInt(resolveFlags[resolution]);
    const result = syscallResult(libc.syscall(sysOpenat2, root, text, Buffer.from(how.buffer), 24));
    // The kernel saw a rename race on "..": it asks to try again.
    if (result !== eagain || tries >= 32) return result;
  }
}

export function closeFd(fd: number): void {
  libc.close(fd);
}

/** A descriptor as a resource. */
export function owned(fd: number): OpenFile {
  return { fd, [Symbol.dispose]: () => closeFd(fd) };
}

/** Opens a folder by a trusted path. Errors: "not-found", "invalid" for what is no folder. */
export function openFolder(path: Bytes): OpenFile {
  const fd = openAt(currentFolder, path, openFlags.directory);
  return owned(must(fd, { doing: "open the folder", on: Buffer.from(path).toString() }));
}
