import { dlopen } from "bun:ffi";
import { closeSync } from "node:fs";
import { must, syscallResult } from "#base/system/libc/errno.ts";
import { type Bytes, cString } from "#base/system/libc/text.ts";

const { symbols: libc } = dlopen("libc.so.6", {
  inotify_init1: { args: ["i32"], returns: "i32" },
  inotify_add_watch: { args: ["i32", "ptr", "u32"], returns: "i32" },
  inotify_rm_watch: { args: ["i32", "i32"], returns: "i32" },
  read: { args: ["i32", "ptr", "u64"], returns: "i64" },
});

const [nonBlocking, closeOnExec] = [0o4000, 0o2000000];
const [movedTo, onlyFolder] = [0x80, 0x0100_0000];

/**
 * Files renamed into folders (inotify(7)). Writes to files in them wake nobody: the mask leaves them out in the
 * kernel, which `fs.watch` cannot be told.
 */
export class FolderWatch {
  readonly fd = must(syscallResult(libc.inotify_init1(nonBlocking | closeOnExec)), { doing: "watch folders" });
  /** Ids by the kernel's number of a folder; one folder may have several. */
  readonly #ids = new Map<number, Set<number>>();
  readonly #buffer = Buffer.alloc(16 * 1024);

  /** A folder that is gone gets no files any more: then nothing is watched. */
  add(id: number, folder: Bytes): void {
    const number = syscallResult(libc.inotify_add_watch(this.fd, cString(folder), movedTo | onlyFolder));
    if (number >= 0) this.#ids.set(number, (this.#ids.get(number) ?? new Set()).add(id));
  }

  remove(id: number): void {
    for (const [number, ids] of this.#ids) {
      if (!ids.delete(id) || ids.size > 0) continue;
      this.#ids.delete(number);
      libc.inotify_rm_watch(this.fd, number);
    }
  }

  /** The ids whose folders something came into since the last call, each once. */
  take(): Set<number> {
    const found = new Set<number>();
    for (;;) {
      const length = syscallResult(libc.read(this.fd, this.#buffer, this.#buffer.length));
      if (length <= 0) return found;
      for (let at = 0; at < length; at += 16 + this.#buffer.readUInt32LE(at + 12)) {
        if (!(this.#buffer.readUInt32LE(at + 4) & movedTo)) continue;
        for (const id of this.#ids.get(this.#buffer.readInt32LE(at)) ?? []) found.add(id);
      }
    }
  }

  close(): void {
    closeSync(this.fd);
  }
}
