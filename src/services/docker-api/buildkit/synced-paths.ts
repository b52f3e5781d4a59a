import { GantryError } from "#base/core/errors.ts";

/** Entries of one transfer at most; a context of more is no context. */
const limit = 5_000_000;

/**
 * The paths a client has announced in one transfer. Each must stand plainly below the top: in a folder announced
 * before, so that no link is ever walked through, and announced once, so that nothing is written twice.
 */
export class SyncedPaths {
  readonly #kinds = new Map<string, "folder" | "file" | "other">();

  add(path: string, kind: "folder" | "file" | "other"): void {
    const parts = path.split("/");
    if (parts.some((part) => part === "" || part === "." || part === "..") || path.includes("\0")) {
      throw refused(path, "it does not name a place inside of the context");
    }
    const parent = parts.slice(0, -1).join("/");
    if (parent !== "" && this.#kinds.get(parent) !== "folder") {
      throw refused(path, `${JSON.stringify(parent)} is no folder that was sent before`);
    }
    if (this.#kinds.has(path)) throw refused(path, "it was sent twice");
    if (this.#kinds.size >= limit) throw refused(path, `there are more than ${limit} files`);
    this.#kinds.set(path, kind);
  }

  /** A hard link leads to a file that was sent before. */
  requireFile(path: string, target: string): void {
    if (this.#kinds.get(target) !== "file") {
      throw refused(path, `its other name ${JSON.stringify(target)} is no file that was sent before`);
    }
  }
}

function refused(path: string, because: string): GantryError {
  return new GantryError("invalid", { doing: "receive from the client's session", on: path, because });
}
