import { dlopen, FFIType } from "bun:ffi";
import { fsync } from "node:fs";
import { promisify } from "node:util";
import { must, syscallResult } from "#base/system/libc/errno.ts";
import { openFolder } from "./open.ts";

const libc = dlopen("libc.so.6", {
  syncfs: { args: ["i32"], returns: "i32" },
  lseek: { args: ["i32", "i64", "i32"], returns: FFIType.i64_fast },
}).symbols;

/** fsync(2) off the event loop: it waits for whatever the file system's journal holds, for what others wrote too. */
export const syncFile: (fd: number) => Promise<void> = promisify(fsync);

/** Puts a folder's names on disk: after a rename into it, before anything relies on that. */
export async function syncFolder(path: string): Promise<void> {
  using folder = openFolder(path);
  await syncFile(folder.fd);
}

/** Puts all of the file system that holds `path` on disk. Slow: in a Worker. */
export function syncFileSystem(path: string): void {
  using folder = openFolder(path);
  must(syscallResult(libc.syncfs(folder.fd)), { doing: "write to disk", on: path });
}

const seekData = 3;
const seekHole = 4;
const enxio = -6;

/** The first offset from `from` on that holds data; undefined when only a hole follows. Moves the file's offset. */
export function nextData(fd: number, from: number): number | undefined {
  const at = syscallResult(libc.lseek(fd, from, seekData));
  return at === enxio ? undefined : must(at, { doing: "look for data in a file" });
}

/** The first offset from `from` on that is a hole; the file's end counts as one. Moves the file's offset. */
export function nextHole(fd: number, from: number): number {
  return must(syscallResult(libc.lseek(fd, from, seekHole)), { doing: "look for a hole in a file" });
}
