import { closeSync, openSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { GantryError } from "#base/core/errors.ts";
import { type Descriptor, type Digest, documentLimit } from "#formats/oci/contract.ts";
import { digestOf } from "#formats/oci/digest.ts";
import { folders, type StoreContext } from "./context.ts";
import type {
  BlobInfo,
  BlobSource,
  BlobStore,
  Expected,
  FetchOptions,
  Ingest,
  IngestOptions,
  Range,
} from "./contract.ts";
import { dropFile } from "./drop-file.ts";
import { Fetches } from "./fetches.ts";
import { OpenIngest, writeWhole } from "./ingest.ts";
import { Naming } from "./naming.ts";

interface BlobRow {
  digest: Digest;
  size: number;
  created: number;
}

export class DiskBlobStore implements BlobStore {
  readonly #context: StoreContext;
  readonly #isHeld: (digest: Digest) => boolean;
  readonly #fetches: Fetches;
  /** Ids of ingests being written now. */
  readonly writing = new Set<string>();
  readonly naming: Naming;

  constructor(context: StoreContext, isHeld: (digest: Digest) => boolean) {
    this.#context = context;
    this.#isHeld = isHeld;
    this.#fetches = new Fetches(this);
    this.naming = new Naming(context, (digest) => this.stat(digest));
  }

  stat(digest: Digest): BlobInfo | undefined {
    return this.#context.database.get<BlobRow>("SELECT digest, size, created FROM blobs WHERE digest = ?", digest);
  }

  has(digest: Digest): boolean {
    return this.stat(digest) !== undefined;
  }

  path(digest: Digest): string {
    this.#info(digest);
    return folders.blob(this.#context.root, digest);
  }

  open(digest: Digest, range: Range = {}): ReadableStream<Uint8Array> {
    const { size } = this.#info(digest);
    const path = folders.blob(this.#context.root, digest);
    const end = Math.min(range.end ?? size, size);
    const start = Math.min(range.start ?? 0, end);
    // A short file would be a silent short stream.
    if (Bun.file(path).size !== size) throw damaged(digest, "its file has another size than its record");
    return Bun.file(path).slice(start, end).stream();
  }

  async read(digest: Digest, limit = documentLimit): Promise<Uint8Array> {
    const { size } = this.#info(digest);
    if (size > limit)
      throw new GantryError("invalid", {
        doing: "read the blob",
        on: digest,
        because: `it has ${size} bytes, more than ${limit}`,
      });
    const bytes = await readFile(folders.blob(this.#context.root, digest)).catch((cause: unknown) => {
      throw damaged(digest, "its file cannot be read", cause);
    });
    if (bytes.length !== size) throw damaged(digest, "its file has another size than its record");
    return bytes;
  }

  list(): BlobInfo[] {
    return this.#context.database.all<BlobRow>("SELECT digest, size, created FROM blobs ORDER BY digest");
  }

  async ingest(ref: string, options: IngestOptions = {}): Promise<Ingest> {
    const { id } = this.lend(ref);
    try {
      return await OpenIngest.open(this.#context, id, options, this);
    } catch (error) {
      this.writing.delete(id);
      throw error;
    }
  }

  fetch(wanted: Descriptor, source: BlobSource, options: FetchOptions = {}): Promise<BlobInfo> {
    return this.#fetches.run(wanted, source, options);
  }

  async put(bytes: Uint8Array, expected: Expected = {}): Promise<BlobInfo> {
    const digest = digestOf(bytes, expected.digest?.startsWith("sha512:") ? "sha512" : "sha256");
    const wrong =
      (expected.digest !== undefined && expected.digest !== digest) ||
      (expected.size !== undefined && expected.size !== bytes.length);
    if (wrong) throw damaged(expected.digest ?? digest, `its bytes are ${digest} with ${bytes.length} bytes`);
    const known = this.stat(digest);
    if (known !== undefined) return known;
    const { id, path } = this.reserve();
    try {
      this.#context.faults.at("images.blob.write");
      await writeWhole(path, bytes);
      return await this.adopt(id, { digest, size: bytes.length });
    } finally {
      this.discard(id);
    }
  }

  lend(ref: string): { id: string; path: string } {
    const id = `r-${digestOf(ref).slice(7, 39)}`;
    if (this.writing.has(id))
      throw new GantryError("conflict", { doing: "store the blob", on: ref, because: "another writer is at it" });
    this.writing.add(id);
    return { id, path: folders.ingest(this.#context.root, id) };
  }

  release(id: string): void {
    this.writing.delete(id);
  }

  reserve(): { id: string; path: string } {
    const id = `t-${this.#context.random.hex(12)}`;
    const path = folders.ingest(this.#context.root, id);
    closeSync(openSync(path, "wx", 0o600));
    this.writing.add(id);
    return { id, path };
  }

  async adopt(id: string, blob: { readonly digest: Digest; readonly size: number }): Promise<BlobInfo> {
    const info = await this.naming.name(folders.ingest(this.#context.root, id), blob);
    this.writing.delete(id);
    return info;
  }

  discard(id: string): void {
    dropFile(this.#context, folders.ingest(this.#context.root, id));
    this.writing.delete(id);
  }

  delete(digest: Digest): boolean {
    if (this.#isHeld(digest))
      throw new GantryError("conflict", { doing: "delete the blob", on: digest, because: "work in progress needs it" });
    return this.remove(digest);
  }

  /** Row first: a file without a row is gone already. */
  remove(digest: Digest): boolean {
    const { database, faults, root } = this.#context;
    const removed = database.transaction("images.blob-delete", () =>
      database.run("DELETE FROM blobs WHERE digest = ?", digest),
    );
    // Without a row the file is none of ours, or just being named.
    if (removed === 0) return false;
    faults.at("images.blob.unlink");
    dropFile(this.#context, folders.blob(root, digest));
    return true;
  }

  /** Whether the file is as the row says, without hashing. */
  async looksWhole(info: BlobInfo): Promise<"whole" | "missing" | "size"> {
    try {
      const found = await stat(folders.blob(this.#context.root, info.digest));
      return found.size === info.size && found.isFile() ? "whole" : "size";
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return "missing";
      throw error;
    }
  }

  #info(digest: Digest): BlobInfo {
    const info = this.stat(digest);
    if (info !== undefined) return info;
    throw new GantryError("not-found", {
      doing: "read the blob",
      on: digest,
      because: "the store does not have it",
      next: "Pull or load the image again.",
    });
  }
}

function damaged(digest: Digest, because: string, cause?: unknown): GantryError {
  return new GantryError("corrupt", {
    doing: "read the blob",
    on: digest,
    because,
    next: "Run `gantry check --repair`, then pull or load the image again.",
    ...(cause === undefined ? {} : { cause }),
  });
}
