import { dlopen, type Pointer, read } from "bun:ffi";
import { constants } from "node:os";
import { type ErrorKind, type ErrorParts, GantryError } from "#base/core/errors.ts";

/** errno by name, as this kernel numbers them (errno(3)). */
export const errnoByName = { ...constants.errno, ENODATA: 61, ELOOP: 40, EOPNOTSUPP: 95 } as const;

const nameByErrno = new Map<number, string>(Object.entries(errnoByName).map(([name, number]) => [number, name]));

const library = dlopen("libc.so.6", { __errno_location: { args: [], returns: "ptr" } });
// One address a thread; each Worker loads its own copy of this module.
const location = library.symbols.__errno_location() as Pointer;

/** The calling thread's errno. Read it right after the call that failed, before any other. */
export function lastErrno(): number {
  return read.i32(location, 0);
}

/** What a syscall gave: a value from 0 up, or minus an errno. */
export type SyscallResult = number;

/** Turns libc's -1-and-errno into a {@link SyscallResult}. */
export function syscallResult(returned: number | bigint): SyscallResult {
  return Number(returned) === -1 ? -lastErrno() : Number(returned);
}

export function errnoName(errno: number): string {
  return nameByErrno.get(Math.abs(errno)) ?? `errno ${Math.abs(errno)}`;
}

const kindByErrno: Readonly<Record<string, ErrorKind>> = {
  ENOENT: "not-found",
  ESRCH: "not-found",
  ENODATA: "not-found",
  EEXIST: "conflict",
  EBUSY: "conflict",
  ENOTEMPTY: "conflict",
  EADDRINUSE: "conflict",
  EINVAL: "invalid",
  ENAMETOOLONG: "invalid",
  ENOTDIR: "invalid",
  EISDIR: "invalid",
  ELOOP: "denied",
  EXDEV: "denied",
  EPERM: "denied",
  EACCES: "denied",
  EROFS: "denied",
  ENOSPC: "exhausted",
  EDQUOT: "exhausted",
  EMFILE: "exhausted",
  ENFILE: "exhausted",
  ENOMEM: "exhausted",
  EAGAIN: "unavailable",
  ECONNREFUSED: "unavailable",
  ENOTCONN: "unavailable",
  ENOSYS: "unsupported",
  EOPNOTSUPP: "unsupported",
  EIO: "corrupt",
};

/** The error a failed syscall becomes; `because` defaults to the errno's name. */
export function syscallError(errno: number, parts: Omit<ErrorParts, "because"> & { because?: string }): GantryError {
  const name = errnoName(errno);
  const because = parts.because === undefined ? `the kernel answers ${name}` : `${parts.because} (${name})`;
  return new GantryError(kindByErrno[name] ?? "internal", {
    ...parts,
    because,
    details: { errno: name, ...parts.details },
  });
}

/** Passes a value through and throws {@link syscallError} for an errno. */
export function must(result: SyscallResult, parts: Omit<ErrorParts, "because"> & { because?: string }): number {
  if (result < 0) throw syscallError(-result, parts);
  return result;
}
