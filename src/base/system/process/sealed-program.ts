import { dlopen } from "bun:ffi";
import { closeSync, readFileSync, writeSync } from "node:fs";
import { must, syscallResult } from "#base/system/libc/errno.ts";
import { cString } from "#base/system/libc/text.ts";

const libc = dlopen("libc.so.6", {
  memfd_create: { args: ["ptr", "u32"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
}).symbols;

/** MFD_CLOEXEC | MFD_ALLOW_SEALING */
const memoryFileFlags = 0x0001 | 0x0002;
const addSeals = 1033;
/** F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE */
const allSeals = 0x1 | 0x2 | 0x4 | 0x8;

/** A program in memory that nobody can write to any more, not even root in a container that got hold of it. */
export interface SealedProgram extends Disposable {
  /** Good to execute for any process of this machine as long as this handle lives. */
  readonly path: string;
}

/**
 * Copies a program into a sealed memory file (memfd_create(2)). crun makes such a copy of itself each time it starts
 * (the guard against CVE-2019-5736) and starts anew from it; started from one, it finds the seals and goes on.
 * Errors: "denied" where the kernel forbids programs in memory (vm.memfd_noexec).
 */
export function sealProgram(file: string): SealedProgram {
  const doing = { doing: "seal the program", on: file };
  const fd = must(syscallResult(libc.memfd_create(cString(file), memoryFileFlags)), doing);
  try {
    const bytes = readFileSync(file);
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    must(syscallResult(libc.fcntl(fd, addSeals, allSeals)), doing);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return { path: `/proc/${process.pid}/fd/${fd}`, [Symbol.dispose]: () => closeSync(fd) };
}
