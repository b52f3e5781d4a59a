import { basename, dirname } from "node:path";
import { errnoName, type SyscallResult, syscallError } from "#base/system/libc/errno.ts";
import { removeFolderAt, renameAt, unlinkAt } from "./change.ts";
import { listFolder } from "./list.ts";
import { openFlags, openFolder, openInside, owned } from "./open.ts";

/** Deeper folders are first moved up, so that neither stack nor descriptors bound what can be removed. */
const deepest = 128;

/**
 * Removes `path` and everything below it; nothing is followed and no other mount is entered. Missing is no error.
 * Gives how many names it removed. Error "conflict": something in it is a mount.
 */
export function removeTree(path: string): number {
  let top: ReturnType<typeof openFolder>;
  try {
    top = openFolder(dirname(path));
  } catch (error) {
    if ((error as { kind?: string }).kind === "not-found") return 0;
    throw error;
  }
  using folder = top;
  return new Removal(path, folder.fd).run(Buffer.from(basename(path)));
}

class Removal {
  readonly #path: string;
  readonly #top: number;
  readonly #moved: Uint8Array[] = [];
  #removed = 0;

  constructor(path: string, top: number) {
    this.#path = path;
    this.#top = top;
  }

  run(name: Uint8Array): number {
    this.#one(this.#top, name, 0);
    for (let next = this.#moved.pop(); next !== undefined; next = this.#moved.pop()) this.#one(this.#top, next, 0);
    return this.#removed;
  }

  #one(folder: number, name: Uint8Array, depth: number): void {
    const unlinked = unlinkAt(folder, name);
    const answer = unlinked < 0 ? errnoName(unlinked) : "";
    if (answer === "ENOENT") return;
    if (answer !== "EISDIR") {
      this.#must(unlinked);
      return;
    }
    if (depth < deepest) this.#folder(folder, name, depth);
    else this.#moveUp(folder, name);
  }

  #folder(folder: number, name: Uint8Array, depth: number): void {
    const opened = openInside(folder, name, "beneath", openFlags.directory | openFlags.noFollow);
    if (opened < 0 && errnoName(opened) === "ENOENT") return;
    if (opened < 0 && errnoName(opened) === "EXDEV")
      throw syscallError(16, { doing: "remove", on: this.#path, because: "something in it is a mount" });
    {
      if (opened < 0) throw syscallError(-opened, { doing: "remove", on: this.#path });
      using inner = owned(opened);
      for (const entry of listFolder(inner.fd)) this.#one(inner.fd, entry.name, depth + 1);
    }
    this.#must(removeFolderAt(folder, name));
  }

  #moveUp(folder: number, name: Uint8Array): void {
    const moved = Buffer.from(`${basename(this.#path)}.deep-${this.#removed}-${this.#moved.length}`);
    const result = renameAt(folder, name, this.#top, moved);
    if (result < 0) throw syscallError(-result, { doing: "remove", on: this.#path });
    this.#moved.push(moved);
  }

  #must(result: SyscallResult): void {
    if (result >= 0) this.#removed += 1;
    else if (errnoName(result) !== "ENOENT") throw syscallError(-result, { doing: "remove", on: this.#path });
  }
}
