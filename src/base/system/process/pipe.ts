import { dlopen } from "bun:ffi";
import { must, syscallResult } from "#base/system/libc/errno.ts";

const libc = dlopen("libc.so.6", { pipe2: { args: ["ptr", "i32"], returns: "i32" } }).symbols;
const closeOnExec = 0o2000000;

/**
 * A real pipe (pipe(2)), close-on-exec. Bun's own "pipe" is a socket pair, which a program cannot open again by name:
 * `echo x > /dev/stdout` then fails with ENXIO.
 */
export function makePipe(): { readonly read: number; readonly write: number } {
  const ends = new Int32Array(2);
  must(syscallResult(libc.pipe2(ends, closeOnExec)), { doing: "make a pipe" });
  return { read: ends[0]!, write: ends[1]! };
}
