import { dlopen } from "bun:ffi";
import { closeSync, constants, openSync } from "node:fs";
import { must, syscallResult } from "#base/system/libc/errno.ts";

const { symbols: libc } = dlopen("libc.so.6", { flock: { args: ["i32", "i32"], returns: "i32" } });
const exclusive = 2;

/** Does `work` while this process alone holds `file`; blocks while another does, which is brief. */
export async function withLock<R>(file: string, work: () => R | Promise<R>): Promise<R> {
  const fd = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    must(syscallResult(libc.flock(fd, exclusive)), { doing: "lock", on: file });
    return await work();
  } finally {
    closeSync(fd);
  }
}
