import { dlopen, FFIType } from "bun:ffi";
import { must, syscallResult } from "#base/system/libc/errno.ts";
import type { DirectoryEntry, FileKind } from "./contract.ts";

const libc = dlopen("libc.so.6", {
  getdents64: { args: ["i32", "ptr", "u64"], returns: FFIType.i64_fast },
}).symbols;

const kindByType: Readonly<Record<number, FileKind>> = {
  1: "fifo",
  2: "character",
  4: "directory",
  6: "block",
  8: "file",
  10: "symlink",
  12: "socket",
};

/** The entries of an open folder (not O_PATH), "." and ".." left out, in the file system's order. Reads it once. */
export function listFolder(fd: number): DirectoryEntry[] {
  const buffer = new Uint8Array(32 * 1024);
  const view = new DataView(buffer.buffer);
  const entries: DirectoryEntry[] = [];
  for (;;) {
    const length = must(syscallResult(libc.getdents64(fd, buffer, buffer.length)), { doing: "list a folder" });
    if (length === 0) return entries;
    for (let at = 0; at < length; ) {
      const size = view.getUint16(at + 16, true);
      const start = at + 19;
      const end = buffer.indexOf(0, start);
      const name = buffer.slice(start, end);
      const dots = name.length <= 2 && name.every((byte) => byte === 0x2e);
      if (!dots)
        entries.push({
          name,
          kind: kindByType[buffer[at + 18]!],
          inode: view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32,
        });
      at += size;
    }
  }
}
