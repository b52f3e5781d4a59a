import { dlopen } from "bun:ffi";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { syscallError, syscallResult } from "#base/system/libc/errno.ts";
import { cString } from "#base/system/libc/text.ts";

const { symbols: libc } = dlopen("libc.so.6", {
  syscall: { args: ["i64", "i64", "ptr", "ptr", "u64"], returns: "i64" },
});

const sysOpenat2 = 437;
const resolveInRoot = 0x10;
const resolveNoMagicLinks = 0x02;

/**
 * The first `limit` bytes of a regular file, its path resolved by the kernel as if `root` were "/" (openat2,
 * RESOLVE_IN_ROOT): a link in an image never leads out of it. undefined when there is no such regular file.
 */
export function readInRoot(root: string, path: string, limit: number): Buffer | undefined {
  const rootFd = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const how = new BigUint64Array([
      BigInt(constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | 0o2000000),
      0n,
      BigInt(resolveInRoot | resolveNoMagicLinks),
    ]);
    const fd = syscallResult(libc.syscall(sysOpenat2, rootFd, cString(path), how, how.byteLength));
    if (fd < 0) {
      const error = syscallError(-fd, { doing: "read inside the image", on: path });
      if (error.kind === "not-found" || error.kind === "invalid" || error.kind === "denied") return undefined;
      throw error;
    }
    try {
      return readRegular(fd, limit);
    } finally {
      closeSync(fd);
    }
  } finally {
    closeSync(rootFd);
  }
}

function readRegular(fd: number, limit: number): Buffer | undefined {
  const buffer = Buffer.alloc(Math.min(limit, 64 * 1024));
  const pieces: Buffer[] = [];
  let total = 0;
  try {
    while (total < limit) {
      const count = readSync(fd, buffer, 0, Math.min(buffer.length, limit - total), null);
      if (count === 0) break;
      pieces.push(Buffer.from(buffer.subarray(0, count)));
      total += count;
    }
  } catch {
    return undefined; // A folder, or a fifo with nobody at the other end.
  }
  return Buffer.concat(pieces);
}
