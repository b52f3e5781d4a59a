import { dlopen, FFIType } from "bun:ffi";
import { type SyscallResult, syscallResult } from "#base/system/libc/errno.ts";
import { type Bytes, cString } from "#base/system/libc/text.ts";
import type { FileTime } from "./contract.ts";
import { currentFolder, openAt, openFlags, owned } from "./open.ts";

const libc = dlopen("libc.so.6", {
  mkdirat: { args: ["i32", "ptr", "u32"], returns: "i32" },
  mknodat: { args: ["i32", "ptr", "u32", "u64"], returns: "i32" },
  symlinkat: { args: ["ptr", "i32", "ptr"], returns: "i32" },
  linkat: { args: ["i32", "ptr", "i32", "ptr", "i32"], returns: "i32" },
  unlinkat: { args: ["i32", "ptr", "i32"], returns: "i32" },
  renameat2: { args: ["i32", "ptr", "i32", "ptr", "u32"], returns: "i32" },
  fchownat: { args: ["i32", "ptr", "u32", "u32", "i32"], returns: "i32" },
  fchown: { args: ["i32", "u32", "u32"], returns: "i32" },
  fchmod: { args: ["i32", "u32"], returns: "i32" },
  fchmodat: { args: ["i32", "ptr", "u32", "i32"], returns: "i32" },
  utimensat: { args: ["i32", "ptr", "ptr", "i32"], returns: "i32" },
  futimens: { args: ["i32", "ptr"], returns: "i32" },
  readlinkat: { args: ["i32", "ptr", "ptr", "u64"], returns: FFIType.i64_fast },
}).symbols;

/** S_IF... of what mknod makes. */
export const nodeFormat = { character: 0o020000, block: 0o060000, fifo: 0o010000 } as const;

const noFollow = 0x100;
const removeFolder = 0x200;
const noReplace = 1;

/** Everything here names a file by its open folder and last name, and never follows that name. */
export function makeFolderAt(folder: number, name: Bytes, mode: number): SyscallResult {
  return syscallResult(libc.mkdirat(folder, cString(name), mode));
}

/** Device numbers: major below 4096, minor below 2^20; 0:0 for a fifo and for overlay's whiteout. */
export function makeNodeAt(
  folder: number,
  name: Bytes,
  kind: keyof typeof nodeFormat,
  mode: number,
  major = 0,
  minor = 0,
): SyscallResult {
  const device = major * 256 + (minor & 0xff) + Math.floor(minor / 256) * 2 ** 20;
  return syscallResult(libc.mknodat(folder, cString(name), nodeFormat[kind] | mode, device));
}

export function makeSymlinkAt(target: Bytes, folder: number, name: Bytes): SyscallResult {
  return syscallResult(libc.symlinkat(cString(target), folder, cString(name)));
}

/** A hard link to `from` itself, also when it is a symlink. */
export function linkAt(fromFolder: number, from: Bytes, folder: number, name: Bytes): SyscallResult {
  return syscallResult(libc.linkat(fromFolder, cString(from), folder, cString(name), 0));
}

export function unlinkAt(folder: number, name: Bytes): SyscallResult {
  return syscallResult(libc.unlinkat(folder, cString(name), 0));
}

export function removeFolderAt(folder: number, name: Bytes): SyscallResult {
  return syscallResult(libc.unlinkat(folder, cString(name), removeFolder));
}

/** rename(2) that fails with EEXIST when `to` exists, unless `replace`. */
export function renameAt(
  fromFolder: number,
  from: Bytes,
  toFolder: number,
  to: Bytes,
  options: { readonly replace?: boolean } = {},
): SyscallResult {
  const flags = options.replace ? 0 : noReplace;
  return syscallResult(libc.renameat2(fromFolder, cString(from), toFolder, cString(to), flags));
}

export function chownAt(folder: number, name: Bytes, uid: number, gid: number): SyscallResult {
  return syscallResult(libc.fchownat(folder, cString(name), uid, gid, noFollow));
}

export function chownFd(fd: number, uid: number, gid: number): SyscallResult {
  return syscallResult(libc.fchown(fd, uid, gid));
}

export function chmodFd(fd: number, mode: number): SyscallResult {
  return syscallResult(libc.fchmod(fd, mode));
}

/**
 * chmod by name. It FOLLOWS a symlink (Linux cannot chmod one): only for a name the caller just made as something else
 * in a folder nobody else writes.
 */
export function chmodMadeAt(folder: number, name: Bytes, mode: number): SyscallResult {
  return syscallResult(libc.fchmodat(folder, cString(name), mode, 0));
}

/** chmod by name of what may have been swapped for a link meanwhile: that is refused, nothing is followed. */
export function chmodSafelyAt(folder: number, name: Bytes, mode: number): SyscallResult {
  const opened = openAt(folder, name, openFlags.path | openFlags.noFollow);
  if (opened < 0) return opened;
  using file = owned(opened);
  // A descriptor of a link cannot be changed by this way either: EOPNOTSUPP.
  return syscallResult(libc.fchmodat(currentFolder, cString(`/proc/self/fd/${file.fd}`), mode, 0));
}

const times = new BigInt64Array(4);
const timesBytes = new Uint8Array(times.buffer);

function setTimes(time: FileTime): Uint8Array {
  const seconds = BigInt(time.seconds);
  const nanoseconds = BigInt(time.nanoseconds);
  times[0] = seconds;
  times[1] = nanoseconds;
  times[2] = seconds;
  times[3] = nanoseconds;
  return timesBytes;
}

/** Access and modification time of the name itself. */
export function touchAt(folder: number, name: Bytes, time: FileTime): SyscallResult {
  return syscallResult(libc.utimensat(folder, cString(name), setTimes(time), noFollow));
}

export function touchFd(fd: number, time: FileTime): SyscallResult {
  return syscallResult(libc.futimens(fd, setTimes(time)));
}

const linkBuffer = new Uint8Array(4096);

/** A symlink's target as bytes, or minus an errno. */
export function readLinkAt(folder: number, name: Bytes): Uint8Array | SyscallResult {
  const length = syscallResult(libc.readlinkat(folder, cString(name), linkBuffer, linkBuffer.length));
  return length < 0 ? length : linkBuffer.slice(0, length);
}
