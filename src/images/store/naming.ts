import { renameSync, statSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import { syncFolder } from "#base/system/files/sync.ts";
import type { Digest } from "#formats/oci/contract.ts";
import { digestAlgorithm } from "#formats/oci/digest.ts";
import { folders, type StoreContext } from "./context.ts";
import type { BlobInfo } from "./contract.ts";
import { dropFile } from "./drop-file.ts";

/** Synced bytes become a blob: rename, synced folder, row. One at a time for a digest; whoever comes later finds it. */
export class Naming {
  readonly #context: StoreContext;
  readonly #stat: (digest: Digest) => BlobInfo | undefined;
  readonly #running = new Map<Digest, Promise<BlobInfo>>();

  constructor(context: StoreContext, stat: (digest: Digest) => BlobInfo | undefined) {
    this.#context = context;
    this.#stat = stat;
  }

  /** Blobs whose files have their name and not yet their row. */
  get digests(): Iterable<Digest> {
    return this.#running.keys();
  }

  async name(from: string, blob: { readonly digest: Digest; readonly size: number }): Promise<BlobInfo> {
    // One that failed leaves the name to the next.
    while (this.#running.has(blob.digest)) await Promise.allSettled([this.#running.get(blob.digest)]);
    const known = this.#stat(blob.digest);
    if (known !== undefined) {
      dropFile(this.#context, from);
      return known;
    }
    const named = this.#name(from, blob).finally(() => this.#running.delete(blob.digest));
    this.#running.set(blob.digest, named);
    return named;
  }

  async #name(from: string, blob: { readonly digest: Digest; readonly size: number }): Promise<BlobInfo> {
    const { clock, database, faults, root } = this.#context;
    const { size } = statSync(from);
    if (size !== blob.size)
      throw new GantryError("corrupt", {
        doing: "name the blob",
        on: blob.digest,
        because: `${size} bytes were written, not ${blob.size}`,
        next: "Pull, load or build the image again.",
      });
    faults.at("images.blob.rename");
    renameSync(from, folders.blob(root, blob.digest));
    faults.at("images.blob.sync-folder");
    await syncFolder(folders.blobs(root, digestAlgorithm(blob.digest)));
    const created = clock.now();
    database.transaction("images.blob", () =>
      database.run("INSERT INTO blobs VALUES (?, ?, ?)", blob.digest, blob.size, created),
    );
    return { digest: blob.digest, size: blob.size, created };
  }
}
