import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import { syncFile } from "#base/system/files/sync.ts";
import type { Digest, DigestAlgorithm } from "#formats/oci/contract.ts";
import { createDigester, type Digester } from "#formats/oci/digest.ts";

const rereadBytes = 1024 * 1024;

/** A file that grows at its end and is hashed on the way. Needs nothing else of the store: a Worker may hold one. */
export class HashedFile {
  readonly #digester: Digester;
  #fd: number | undefined;
  #offset = 0;

  private constructor(fd: number, algorithm: DigestAlgorithm) {
    this.#fd = fd;
    this.#digester = createDigester(algorithm);
  }

  /** Made when it is missing; what an earlier attempt left is hashed first, in slices short enough for an event loop. */
  static async open(path: string, algorithm: DigestAlgorithm): Promise<HashedFile> {
    const fd = openSync(path, "a+", 0o600);
    const file = new HashedFile(fd, algorithm);
    try {
      await file.#reread(fd);
    } catch (error) {
      file.close();
      throw error;
    }
    return file;
  }

  get offset(): number {
    return this.#offset;
  }

  async #reread(fd: number): Promise<void> {
    const buffer = new Uint8Array(rereadBytes);
    for (;;) {
      const length = readSync(fd, buffer, 0, rereadBytes, this.#offset);
      if (length === 0) return;
      this.#digester.update(buffer.subarray(0, length));
      this.#offset += length;
      await new Promise(setImmediate);
    }
  }

  /** Errors: "exhausted" a full disk; it is closed then. */
  write(chunk: Uint8Array): void {
    const fd = this.#open();
    try {
      for (let done = 0; done < chunk.length; ) {
        const written = writeSync(fd, chunk, done, chunk.length - done);
        this.#digester.update(chunk.subarray(done, done + written));
        done += written;
        this.#offset += written;
      }
    } catch (cause) {
      const full = ["ENOSPC", "EDQUOT"].includes((cause as NodeJS.ErrnoException).code ?? "");
      this.close();
      throw new GantryError(full ? "exhausted" : "internal", {
        doing: "store the blob",
        because: full ? "the disk is full" : (cause as Error).message,
        next: full
          ? "Free some space on the data root's disk; `gantry prune` removes what nothing uses."
          : "Try again; if it stays so, the source is damaged.",
        cause,
      });
    }
  }

  /** All of it on disk, and what it is. Stays open. */
  async finish(): Promise<{ readonly digest: Digest; readonly size: number }> {
    await syncFile(this.#open());
    return { digest: this.#digester.value(), size: this.#offset };
  }

  close(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
  }

  #open(): number {
    if (this.#fd !== undefined) return this.#fd;
    throw new GantryError("internal", { doing: "write the blob", because: "its ingest is closed" });
  }
}
