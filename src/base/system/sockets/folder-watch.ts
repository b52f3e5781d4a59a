import { dlopen } from "bun:ffi";
import { closeSync } from "node:fs";
import { GantryError, toRecord } from "#base/core/errors.ts";
import { must, syscallResult } from "#base/system/libc/errno.ts";
import { cString } from "#base/system/libc/text.ts";
import type { ArrivalWork } from "./contract.ts";
import type { Report, Request } from "./messages.ts";

const { symbols: libc } = dlopen("libc.so.6", {
  inotify_init1: { args: ["i32"], returns: "i32" },
  inotify_add_watch: { args: ["i32", "ptr", "u32"], returns: "i32" },
  inotify_rm_watch: { args: ["i32", "i32"], returns: "i32" },
  read: { args: ["i32", "ptr", "u64"], returns: "i64" },
  setpriority: { args: ["i32", "u32", "i32"], returns: "i32" },
});

const [nonBlocking, closeOnExec] = [0o4000, 0o2000000];
const [movedTo, onlyFolder] = [0x80, 0x0100_0000];

type Watch = Extract<Request, { kind: "watch" }>;

/**
 * Files renamed into folders (inotify(7)). Writes to files in them wake nobody: the mask leaves them out in the
 * kernel, which `fs.watch` cannot be told.
 */
export class FolderWatch {
  readonly fd = must(syscallResult(libc.inotify_init1(nonBlocking | closeOnExec)), { doing: "watch folders" });
  readonly #works: ReadonlyMap<string, ArrivalWork>;
  /** By the kernel's number of a folder; one folder may have several. */
  readonly #watches = new Map<number, Map<number, Watch>>();
  readonly #buffer = Buffer.alloc(16 * 1024);

  constructor(works: readonly ArrivalWork[]) {
    this.#works = new Map(works.map((work) => [work.name, work]));
    // What arrives may be late only by so much: this thread goes before busy ones when it wakes (a thread's own on
    // Linux). Without the right to it nothing else changes.
    libc.setpriority(0, 0, -15);
  }

  /** A folder that is gone gets no files any more: then nothing is watched. */
  add(watch: Watch): Report {
    const number = syscallResult(libc.inotify_add_watch(this.fd, cString(watch.folder), movedTo | onlyFolder));
    if (number >= 0) this.#watches.set(number, (this.#watches.get(number) ?? new Map()).set(watch.id, watch));
    return this.#arrival(watch);
  }

  remove(id: number): void {
    for (const [number, watches] of this.#watches) {
      if (!watches.delete(id) || watches.size > 0) continue;
      this.#watches.delete(number);
      libc.inotify_rm_watch(this.fd, number);
    }
  }

  /** Does the work of every folder something came into since the last call, once each. */
  take(): Report[] {
    const found = new Set<Watch>();
    for (;;) {
      const length = syscallResult(libc.read(this.fd, this.#buffer, this.#buffer.length));
      if (length <= 0) return [...found].map((watch) => this.#arrival(watch));
      for (let at = 0; at < length; at += 16 + this.#buffer.readUInt32LE(at + 12)) {
        if (!(this.#buffer.readUInt32LE(at + 4) & movedTo)) continue;
        for (const watch of this.#watches.get(this.#buffer.readInt32LE(at))?.values() ?? []) found.add(watch);
      }
    }
  }

  close(): void {
    closeSync(this.fd);
  }

  #arrival({ id, folder, work: name }: Watch): Report {
    if (name === undefined) return { kind: "arrived", id };
    try {
      const work = this.#works.get(name);
      if (work === undefined) {
        throw new GantryError("internal", { doing: "do the work", on: name, because: "this Worker does not serve it" });
      }
      work.run(folder);
      return { kind: "arrived", id };
    } catch (error) {
      return { kind: "arrived", id, error: toRecord(error) };
    }
  }
}
