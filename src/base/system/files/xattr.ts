import { dlopen, FFIType } from "bun:ffi";
import { type SyscallResult, syscallResult } from "#base/system/libc/errno.ts";
import { type Bytes, cString } from "#base/system/libc/text.ts";

const libc = dlopen("libc.so.6", {
  lsetxattr: { args: ["ptr", "ptr", "ptr", "u64", "i32"], returns: "i32" },
  fsetxattr: { args: ["i32", "ptr", "ptr", "u64", "i32"], returns: "i32" },
  lgetxattr: { args: ["ptr", "ptr", "ptr", "u64"], returns: FFIType.i64_fast },
  llistxattr: { args: ["ptr", "ptr", "u64"], returns: FFIType.i64_fast },
}).symbols;

const slash = 0x2f;
// XATTR_SIZE_MAX and XATTR_LIST_MAX of Linux.
const most = 64 * 1024;
const buffer = new Uint8Array(most);
const empty = new Uint8Array(1);

/**
 * The path of `name` in an open folder. The xattr calls have no *at form before Linux 6.13; the folder is held by its
 * descriptor, the last name is never followed.
 */
function pathOf(folder: number, name: Bytes): Uint8Array {
  const bytes = typeof name === "string" ? Buffer.from(name) : name;
  const prefix = Buffer.from(`/proc/self/fd/${folder}`);
  const path = new Uint8Array(prefix.length + 1 + bytes.length + 1);
  path.set(prefix);
  path[prefix.length] = slash;
  path.set(bytes, prefix.length + 1);
  return path;
}

/** Xattr names are one character a byte. */
function nameOf(name: string): Uint8Array {
  return cString(Buffer.from(name, "latin1"));
}

export function setXattrAt(folder: number, name: Bytes, xattr: string, value: Uint8Array): SyscallResult {
  const given = value.length === 0 ? empty : value;
  return syscallResult(libc.lsetxattr(pathOf(folder, name), nameOf(xattr), given, value.length, 0));
}

/** Of an open file or folder (not O_PATH). */
export function setXattrFd(fd: number, xattr: string, value: Uint8Array): SyscallResult {
  const given = value.length === 0 ? empty : value;
  return syscallResult(libc.fsetxattr(fd, nameOf(xattr), given, value.length, 0));
}

/** Minus an errno; -61 (ENODATA) when it has none of that name. */
export function getXattrAt(folder: number, name: Bytes, xattr: string): Uint8Array | SyscallResult {
  const length = syscallResult(libc.lgetxattr(pathOf(folder, name), nameOf(xattr), buffer, most));
  return length < 0 ? length : buffer.slice(0, length);
}

export function listXattrsAt(folder: number, name: Bytes): string[] | SyscallResult {
  const length = syscallResult(libc.llistxattr(pathOf(folder, name), buffer, most));
  if (length <= 0) return length === 0 ? [] : length;
  return Buffer.from(buffer.buffer, 0, length).toString("latin1").split("\0").slice(0, -1);
}
