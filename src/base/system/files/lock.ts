import { dlopen } from "bun:ffi";
import { GantryError } from "#base/core/errors.ts";
import { errnoName, must, syscallResult } from "#base/system/libc/errno.ts";
import type { FileLock } from "./contract.ts";
import { closeFd, currentFolder, openAt, openFlags } from "./open.ts";

const libc = dlopen("libc.so.6", { flock: { args: ["i32", "i32"], returns: "i32" } }).symbols;
const exclusive = 2;
const nonBlocking = 4;

/** Takes `path`, made when missing, for this process alone, until disposed or dead. Error "conflict": another has it. */
export function lockFile(path: string): FileLock {
  const opened = openAt(currentFolder, path, openFlags.readWrite | openFlags.create, 0o600);
  const fd = must(opened, { doing: "open the lock", on: path });
  const result = syscallResult(libc.flock(fd, exclusive | nonBlocking));
  if (result < 0) {
    closeFd(fd);
    const taken = /^(EAGAIN|EWOULDBLOCK)$/.test(errnoName(result));
    throw new GantryError(taken ? "conflict" : "internal", {
      doing: "lock",
      on: path,
      because: taken ? "another process holds it" : `the kernel answers ${errnoName(result)}`,
    });
  }
  return { path, [Symbol.dispose]: () => closeFd(fd) };
}
