import { mkdirSync, statfsSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import type { RunOptions } from "#base/system/pool/contract.ts";
import type { Descriptor, Digest } from "#formats/oci/contract.ts";
import { chainIdOver, digestAlgorithm } from "#formats/oci/digest.ts";
import { folders, type StoreContext } from "./context.ts";
import type {
  BlobProvider,
  CommittedLayer,
  LayerRecord,
  LayerStore,
  ResolvedImage,
  UnpackOptions,
} from "./contract.ts";
import { SharedWork } from "./fetches.ts";
import {
  hashFile,
  removeTrees,
  syncTree,
  type UnpackArgs,
  type Unpacked,
  type UnpackProgress,
  unpackLayer,
} from "./tasks.ts";

export interface LayerRow {
  chain_id: Digest;
  id: string;
  parent: Digest | null;
  diff_id: Digest;
  blob: Digest;
  size: number;
  files: number;
  created: number;
  boot: string;
  synced: number;
}

/** Bytes from which a second Worker pays. */
const worthTwoWorkers = 16 * 1024 * 1024;

/** Kept free for the database and what runs. */
const spare = 64 * 1024 * 1024;

export class FolderLayerStore implements LayerStore {
  readonly #context: StoreContext;
  readonly #blobs: BlobProvider;
  readonly #work = new SharedWork<Digest, LayerRecord>();
  readonly #bytes = new Map<Digest, UnpackProgress>();
  #syncing: Promise<void> | undefined;

  constructor(context: StoreContext, blobs: BlobProvider) {
    this.#context = context;
    this.#blobs = blobs;
  }

  get(chainId: Digest): LayerRecord | undefined {
    const row = this.row(chainId);
    return row === undefined ? undefined : toRecord(row);
  }

  row(chainId: Digest): LayerRow | undefined {
    return this.#context.database.get<LayerRow>("SELECT * FROM layers WHERE chain_id = ?", chainId);
  }

  list(): LayerRecord[] {
    return this.#context.database.all<LayerRow>("SELECT * FROM layers ORDER BY created, rowid").map(toRecord);
  }

  /** The layers of a chain, nearest first. Error "not-found": one is not unpacked. */
  stack(chainId: Digest | undefined): LayerRecord[] {
    const stack: LayerRecord[] = [];
    for (let next = chainId; next !== undefined; ) {
      const layer = this.get(next);
      if (layer === undefined)
        throw new GantryError("not-found", {
          doing: "use the layer",
          on: next,
          because: "it is not unpacked here",
          next: "Pull the image again, or run `gantry check --repair`.",
        });
      stack.push(layer);
      next = layer.parent;
    }
    return stack;
  }

  async ensure(image: ResolvedImage, options: UnpackOptions = {}): Promise<Digest | undefined> {
    let parent: Digest | undefined;
    for (const [index, layer] of image.manifest.layers.entries()) {
      const diffId = image.config.rootfs.diff_ids[index]!;
      parent = (await this.unpack(layer, diffId, parent, options)).chainId;
    }
    return parent;
  }

  async unpack(
    layer: Descriptor,
    diffId: Digest,
    parent: Digest | undefined,
    options: UnpackOptions = {},
  ): Promise<LayerRecord> {
    const chainId = chainIdOver(parent, diffId);
    const known = this.get(chainId);
    if (known !== undefined) return known;
    const { onProgress, signal } = options;
    const told = () => {
      const progress = this.#bytes.get(chainId);
      if (progress !== undefined) onProgress?.(progress);
    };
    return this.#work.join(chainId, { onProgress: told, ...(signal === undefined ? {} : { signal }) }, (shared, tell) =>
      this.#unpack(layer, diffId, parent, chainId, shared, tell),
    );
  }

  async #unpack(
    layer: Descriptor,
    diffId: Digest,
    parent: Digest | undefined,
    chainId: Digest,
    signal: AbortSignal,
    tell: (bytes: number) => void,
  ): Promise<LayerRecord> {
    const { root, bulk, faults, background, watch } = this.#context;
    const parents = this.stack(parent).map((below) => folders.files(root, below.id));
    const id = this.newFolder();
    try {
      const args = {
        blob: this.#blobs.path(layer.digest),
        digest: layer.digest,
        size: layer.size,
        diffId,
        target: folders.files(root, id),
        parents,
        limit: room(root),
      };
      const onProgress = (progress: unknown) => {
        this.#bytes.set(chainId, progress as UnpackProgress);
        tell((progress as UnpackProgress).bytes);
      };
      const { bytes, files } = await this.#extract(args, { signal, onProgress });
      watch.touch();
      faults.at("images.layer.name");
      const known = this.get(chainId);
      if (known !== undefined) throw new AlreadyThere(known);
      return this.name(id, { parent, diffId, digest: layer.digest, contentBytes: bytes, entries: files });
    } catch (error) {
      background.add(bulk.run(removeTrees, { paths: [folders.layer(root, id)] }));
      if (error instanceof AlreadyThere) return error.layer;
      throw error;
    } finally {
      this.#bytes.delete(chainId);
    }
  }

  /** A big uncompressed layer is hashed in a second Worker meanwhile: hashing costs as much as extracting. */
  async #extract(args: UnpackArgs, options: RunOptions): Promise<Unpacked> {
    const { bulk } = this.#context;
    if ((args.digest as string) !== args.diffId || args.size < worthTwoWorkers)
      return bulk.run(unpackLayer, args, options);
    const { signal } = options;
    const hash = { path: args.blob, algorithm: digestAlgorithm(args.digest) };
    const [unpacked, hashed] = await Promise.allSettled([
      bulk.run(unpackLayer, { ...args, hashedApart: true }, options),
      bulk.run(hashFile, hash, signal === undefined ? {} : { signal }),
    ]);
    if (unpacked.status === "rejected") throw unpacked.reason;
    if (hashed.status === "rejected") throw hashed.reason;
    if (hashed.value.digest === args.digest) return unpacked.value;
    throw new GantryError("corrupt", {
      doing: "unpack the layer",
      on: args.digest,
      because: `its blob is ${hashed.value.digest}`,
      next: "Run `gantry check --repair`, then pull the image again.",
    });
  }

  /** An unnamed folder with fs/ in it. */
  newFolder(): string {
    const { root, random, faults } = this.#context;
    faults.at("images.layer.folder");
    for (;;) {
      const id = random.hex(4);
      try {
        mkdirSync(folders.layer(root, id), { mode: 0o700 });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EEXIST") continue;
        throw error;
      }
      // Traversable by a container's own root in a user namespace; the data root above is 0700.
      mkdirSync(folders.files(root, id), { mode: 0o755 });
      return id;
    }
  }

  /** Records a folder as the layer. In the caller's transaction when there is one. */
  name(id: string, layer: CommittedLayer & { readonly parent: Digest | undefined }): LayerRecord {
    const { database, clock, boot } = this.#context;
    const row: LayerRow = {
      chain_id: chainIdOver(layer.parent, layer.diffId),
      id,
      parent: layer.parent ?? null,
      diff_id: layer.diffId,
      blob: layer.digest,
      size: layer.contentBytes ?? 0,
      files: layer.entries ?? 0,
      created: clock.now(),
      boot,
      synced: 0,
    };
    database.transaction("images.layer", () =>
      database.run(
        "INSERT INTO layers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        row.chain_id,
        row.id,
        row.parent,
        row.diff_id,
        row.blob,
        row.size,
        row.files,
        row.created,
        row.boot,
        row.synced,
      ),
    );
    this.#syncSoon();
    return toRecord(row);
  }

  /**
   * A layer is usable at once and forced to disk afterwards: its row says so, and after a power loss in between it is
   * unpacked again from its blob.
   */
  #syncSoon(): void {
    if (this.#syncing !== undefined) return;
    const { bulk, root, database, background, faults } = this.#context;
    const run = async () => {
      // Layers come in groups; one pass serves all named until it begins.
      await new Promise(setImmediate);
      for (;;) {
        const rows = database.all<{ id: string }>("SELECT id FROM layers WHERE synced = 0");
        if (rows.length === 0) return;
        await bulk.run(syncTree, { path: folders.layers(root) });
        faults.at("images.layer.synced");
        database.transaction("images.layer-synced", () => {
          for (const { id } of rows) database.run("UPDATE layers SET synced = 1 WHERE id = ?", id);
        });
      }
    };
    this.#syncing = run().finally(() => {
      this.#syncing = undefined;
    });
    background.add(this.#syncing);
  }

  /** Row first, then the files, in the background. */
  remove(rows: readonly { chain_id: Digest; id: string }[]): void {
    const { database, background, bulk, root } = this.#context;
    database.transaction("images.layer-delete", () => {
      for (const row of rows) database.run("DELETE FROM layers WHERE chain_id = ?", row.chain_id);
    });
    background.add(bulk.run(removeTrees, { paths: rows.map((row) => folders.layer(root, row.id)) }));
  }
}

class AlreadyThere {
  readonly layer: LayerRecord;
  constructor(layer: LayerRecord) {
    this.layer = layer;
  }
}

function room(root: string): number {
  const { bavail, blocks, bsize } = statfsSync(root);
  return Math.max(0, bavail * bsize - Math.min(spare, (blocks * bsize) / 20));
}

export function toRecord(row: LayerRow): LayerRecord {
  return {
    id: row.id,
    chainId: row.chain_id,
    diffId: row.diff_id,
    blob: row.blob,
    size: row.size,
    files: row.files,
    created: row.created,
    ...(row.parent === null ? {} : { parent: row.parent }),
  };
}
