import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import { syncFile } from "#base/system/files/sync.ts";
import type { Digest } from "#formats/oci/contract.ts";
import { createDigester, type Digester, digestAlgorithm } from "#formats/oci/digest.ts";
import { folders, type StoreContext } from "./context.ts";
import type { BlobInfo, Expected, Ingest, IngestOptions } from "./contract.ts";
import { dropFile } from "./drop-file.ts";

const rereadBytes = 1024 * 1024;

export interface IngestOwner {
  /** Gives the finished bytes their name. */
  adopt(id: string, blob: { digest: Digest; size: number }): Promise<BlobInfo>;
  released(id: string): void;
}

/** One file in ingest/ being written, hashed on the way. */
export class OpenIngest implements Ingest {
  readonly id: string;
  readonly #context: StoreContext;
  readonly #options: IngestOptions;
  readonly #owner: IngestOwner;
  readonly #digester: Digester;
  #fd: number | undefined;
  #offset = 0;

  private constructor(context: StoreContext, id: string, options: IngestOptions, owner: IngestOwner) {
    this.#context = context;
    this.id = id;
    this.#options = options;
    this.#owner = owner;
    const algorithm = options.digest === undefined ? (options.algorithm ?? "sha256") : digestAlgorithm(options.digest);
    this.#digester = createDigester(algorithm);
  }

  static async open(
    context: StoreContext,
    id: string,
    options: IngestOptions,
    owner: IngestOwner,
  ): Promise<OpenIngest> {
    const ingest = new OpenIngest(context, id, options, owner);
    context.faults.at("images.ingest.create");
    ingest.#fd = openSync(ingest.#path, "a+", 0o600);
    try {
      await ingest.#reread(ingest.#fd);
    } catch (error) {
      ingest.#close();
      throw error;
    }
    return ingest;
  }

  get offset(): number {
    return this.#offset;
  }

  get #path(): string {
    return folders.ingest(this.#context.root, this.id);
  }

  /** Hashes what an earlier attempt left, in slices short enough for the event loop. */
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

  write(chunk: Uint8Array): void {
    const fd = this.#fd ?? this.#closed();
    const { size, limit } = this.#options;
    const after = this.#offset + chunk.length;
    if (size !== undefined && after > size) {
      this.abandon();
      this.#refuse("corrupt", `it has more bytes than the ${size} announced`);
    }
    if (limit !== undefined && after > limit) {
      this.abandon();
      this.#refuse("exhausted", `it has more bytes than the ${limit} allowed`);
    }
    this.#context.faults.at("images.ingest.write");
    try {
      for (let done = 0; done < chunk.length; ) {
        const written = writeSync(fd, chunk, done, chunk.length - done);
        this.#digester.update(chunk.subarray(done, done + written));
        done += written;
        this.#offset += written;
      }
    } catch (cause) {
      const full = ["ENOSPC", "EDQUOT"].includes((cause as NodeJS.ErrnoException).code ?? "");
      this.#close();
      this.#refuse(full ? "exhausted" : "internal", full ? "the disk is full" : (cause as Error).message, cause);
    }
  }

  async commit(expected: Expected = {}): Promise<BlobInfo> {
    const fd = this.#fd ?? this.#closed();
    const wantedSize = expected.size ?? this.#options.size;
    const wanted = expected.digest ?? this.#options.digest;
    if (wantedSize !== undefined && this.#offset !== wantedSize) {
      // Fewer bytes may still be on their way: they stay for the next attempt, unless they are too many.
      if (this.#offset > wantedSize) this.abandon();
      else this.#close();
      this.#refuse("corrupt", `it has ${this.#offset} bytes, not ${wantedSize}`);
    }
    this.#context.faults.at("images.ingest.sync");
    await syncFile(fd);
    const digest = this.#digester.value();
    if (wanted !== undefined && digest !== wanted) {
      this.abandon();
      this.#refuse("corrupt", `its digest is ${digest}, not ${wanted}`);
    }
    const size = this.#offset;
    try {
      return await this.#owner.adopt(this.id, { digest, size });
    } finally {
      this.#close();
    }
  }

  abandon(): void {
    this.#close();
    dropFile(this.#context, this.#path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
  }

  #close(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
    this.#owner.released(this.id);
  }

  #closed(): never {
    throw new GantryError("internal", { doing: "write the blob", because: "its ingest is closed" });
  }

  #refuse(kind: "corrupt" | "exhausted" | "internal", because: string, cause?: unknown): never {
    const on = this.#options.digest;
    const next =
      kind === "exhausted"
        ? "Free some space on the data root's disk; `gantry prune` removes what nothing uses."
        : "Try again; if it stays so, the source is damaged.";
    throw new GantryError(kind, {
      doing: "store the blob",
      because,
      next,
      ...(on === undefined ? {} : { on }),
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

/** Writes small content whole and synced. */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const fd = openSync(path, "w", 0o600);
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done);
    await syncFile(fd);
  } finally {
    closeSync(fd);
  }
}
