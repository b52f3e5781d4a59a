import { closeSync, openSync, writeSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import { syncFile } from "#base/system/files/sync.ts";
import type { Digest } from "#formats/oci/contract.ts";
import { digestAlgorithm } from "#formats/oci/digest.ts";
import { folders, type StoreContext } from "./context.ts";
import type { BlobInfo, Expected, Ingest, IngestOptions } from "./contract.ts";
import { dropFile } from "./drop-file.ts";
import { HashedFile } from "./hashed-file.ts";

export interface IngestOwner {
  /** Gives the finished bytes their name. */
  adopt(id: string, blob: { digest: Digest; size: number }): Promise<BlobInfo>;
  release(id: string): void;
}

/** One file in ingest/ being written, hashed on the way. */
export class OpenIngest implements Ingest {
  readonly id: string;
  readonly #context: StoreContext;
  readonly #options: IngestOptions;
  readonly #owner: IngestOwner;
  readonly #file: HashedFile;
  #closed = false;

  private constructor(context: StoreContext, id: string, options: IngestOptions, owner: IngestOwner, file: HashedFile) {
    this.#context = context;
    this.id = id;
    this.#options = options;
    this.#owner = owner;
    this.#file = file;
  }

  static async open(
    context: StoreContext,
    id: string,
    options: IngestOptions,
    owner: IngestOwner,
  ): Promise<OpenIngest> {
    const algorithm = options.digest === undefined ? (options.algorithm ?? "sha256") : digestAlgorithm(options.digest);
    context.faults.at("images.ingest.create");
    const file = await HashedFile.open(folders.ingest(context.root, id), algorithm);
    return new OpenIngest(context, id, options, owner, file);
  }

  get offset(): number {
    return this.#file.offset;
  }

  write(chunk: Uint8Array): void {
    const { size, limit } = this.#options;
    const after = this.offset + chunk.length;
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
      this.#file.write(chunk);
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  async commit(expected: Expected = {}): Promise<BlobInfo> {
    const wantedSize = expected.size ?? this.#options.size;
    const wanted = expected.digest ?? this.#options.digest;
    if (wantedSize !== undefined && this.offset !== wantedSize) {
      // Fewer bytes may still be on their way: they stay for the next attempt, unless they are too many.
      if (this.offset > wantedSize) this.abandon();
      else this.#close();
      this.#refuse("corrupt", `it has ${this.offset} bytes, not ${wantedSize}`);
    }
    this.#context.faults.at("images.ingest.sync");
    const blob = await this.#file.finish();
    if (wanted !== undefined && blob.digest !== wanted) {
      this.abandon();
      this.#refuse("corrupt", `its digest is ${blob.digest}, not ${wanted}`);
    }
    try {
      return await this.#owner.adopt(this.id, blob);
    } finally {
      this.#close();
    }
  }

  abandon(): void {
    this.#close();
    dropFile(this.#context, folders.ingest(this.#context.root, this.id));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#file.close();
    this.#owner.release(this.id);
  }

  #refuse(kind: "corrupt" | "exhausted", because: string): never {
    const on = this.#options.digest;
    const next =
      kind === "exhausted"
        ? "Free some space on the data root's disk; `gantry prune` removes what nothing uses."
        : "Try again; if it stays so, the source is damaged.";
    throw new GantryError(kind, { doing: "store the blob", because, next, ...(on === undefined ? {} : { on }) });
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
