import { constants, fstatSync, readSync } from "node:fs";
import { closeFd, openFlags, openFolder, openInside } from "#base/system/files/open.ts";
import { syscallError } from "#base/system/libc/errno.ts";

/**
 * The first `limit` bytes of a regular file, its path resolved by the kernel as if `root` were "/": a link in an
 * image never leads out of it. undefined when there is no such regular file.
 */
export function readInRoot(root: string, path: string, limit: number): Buffer | undefined {
  using folder = openFolder(root);
  // Without blocking: the image may have put a fifo there.
  const fd = openInside(folder.fd, path, "in-root", openFlags.read | constants.O_NONBLOCK | constants.O_NOCTTY);
  if (fd < 0) {
    const error = syscallError(-fd, { doing: "read inside the image", on: path });
    if (error.kind === "not-found" || error.kind === "invalid" || error.kind === "denied") return undefined;
    throw error;
  }
  try {
    return fstatSync(fd).isFile() ? readUpTo(fd, limit) : undefined;
  } finally {
    closeFd(fd);
  }
}

function readUpTo(fd: number, limit: number): Buffer {
  const buffer = Buffer.alloc(Math.min(limit, 64 * 1024));
  const pieces: Buffer[] = [];
  let total = 0;
  while (total < limit) {
    const count = readSync(fd, buffer, 0, Math.min(buffer.length, limit - total), null);
    if (count === 0) break;
    pieces.push(Buffer.from(buffer.subarray(0, count)));
    total += count;
  }
  return Buffer.concat(pieces);
}
