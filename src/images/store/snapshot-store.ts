import { mkdirSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import { openFolder } from "#base/system/files/open.ts";
import { inUserNamespace } from "#base/system/namespaces/user.ts";
import type { Digest } from "#formats/oci/contract.ts";
import { chainIdOver } from "#formats/oci/digest.ts";
import { emptyLayer, folders, type StoreContext } from "./context.ts";
import type {
  BlobStore,
  CommittedLayer,
  LayerRecord,
  OverlayMountData,
  Snapshot,
  SnapshotStore,
  UnpackOptions,
} from "./contract.ts";
import { applyMetadataAt, folderMetadata } from "./layer/metadata.ts";
import type { FolderLayerStore } from "./layer-store.ts";
import { measureTree, removeTrees, type WriteLayerOptions, type WrittenLayer, writeLayer } from "./tasks.ts";

interface SnapshotRow {
  key: string;
  id: string;
  parent: Digest | null;
  created: number;
}

/**
 * Without these an upper may hold redirects or metadata-only copies and be no whole layer. In a user namespace
 * overlay's own marks are user.* attributes; then there are never redirects, and the kernel refuses to be told so.
 */
const mountFlags = inUserNamespace() ? "userxattr,metacopy=off,index=off" : "redirect_dir=off,metacopy=off,index=off";

export class OverlaySnapshotStore implements SnapshotStore {
  readonly #context: StoreContext;
  readonly #layers: FolderLayerStore;
  readonly #blobs: BlobStore;

  constructor(context: StoreContext, layers: FolderLayerStore, blobs: BlobStore) {
    this.#context = context;
    this.#layers = layers;
    this.#blobs = blobs;
  }

  prepare(key: string, parent: Digest | undefined): Snapshot {
    const { root, database, clock, faults, watch } = this.#context;
    if (this.#row(key) !== undefined)
      throw new GantryError("conflict", { doing: "prepare the snapshot", on: key, because: "its name is taken" });
    const lowers = this.#layers.stack(parent).map((layer) => folders.files(root, layer.id));
    watch.touch();
    const id = this.#layers.newFolder();
    const upper = folders.files(root, id);
    // The merged root looks like the upper's.
    if (lowers[0] !== undefined) copyRoot(lowers[0], upper);
    mkdirSync(folders.work(root, id), { mode: 0o700 });
    faults.at("images.snapshot.name");
    database.transaction("images.snapshot", () =>
      database.run("INSERT INTO snapshots VALUES (?, ?, ?, ?)", key, id, parent ?? null, clock.now()),
    );
    return this.#snapshot({ key, id, parent: parent ?? null, created: 0 }, lowers);
  }

  get(key: string): Snapshot | undefined {
    const row = this.#row(key);
    return row === undefined ? undefined : this.#withLowers(row);
  }

  list(): Snapshot[] {
    const rows = this.#context.database.all<SnapshotRow>("SELECT * FROM snapshots ORDER BY created, rowid");
    return rows.map((row) => this.#withLowers(row));
  }

  overlayMountData(snapshot: Snapshot): OverlayMountData {
    const lowers = this.#relative(snapshot.parent);
    const own = `upperdir=${snapshot.id}/fs,workdir=${snapshot.id}/work`;
    return this.#data(`lowerdir=${lowers.join(":") || `${emptyLayer}/fs`},${own},${mountFlags}`);
  }

  readOnlyMountData(parent: Digest): OverlayMountData {
    const lowers = this.#relative(parent);
    // Without an upper overlay wants two lowers.
    if (lowers.length < 2) lowers.push(`${emptyLayer}/fs`);
    return this.#data(`lowerdir=${lowers.join(":")},${mountFlags}`);
  }

  async write(snapshot: Snapshot, options: WriteLayerOptions, run: UnpackOptions = {}): Promise<WrittenLayer> {
    const { id, path } = this.#blobs.reserve();
    try {
      const args = { ...options, upper: snapshot.upper, lowers: snapshot.lowers, output: path };
      const written = await this.#context.bulk.run(
        writeLayer,
        args,
        run.signal === undefined ? {} : { signal: run.signal },
      );
      await this.#blobs.adopt(id, written);
      return written;
    } finally {
      this.#blobs.discard(id);
    }
  }

  commit(snapshot: Snapshot, layer: CommittedLayer): LayerRecord {
    const { database, background, bulk, root, watch } = this.#context;
    if (this.#row(snapshot.key)?.id !== snapshot.id)
      throw new GantryError("not-found", {
        doing: "commit the snapshot",
        on: snapshot.key,
        because: "it does not exist",
      });
    watch.touch();
    const known = this.#layers.get(chainIdOver(snapshot.parent, layer.diffId));
    if (known !== undefined) {
      this.remove(snapshot.key);
      return known;
    }
    const record = database.transaction("images.snapshot-commit", () => {
      database.run("DELETE FROM snapshots WHERE key = ?", snapshot.key);
      return this.#layers.name(snapshot.id, { ...layer, parent: snapshot.parent });
    });
    background.add(bulk.run(removeTrees, { paths: [folders.work(root, snapshot.id)] }));
    return record;
  }

  remove(key: string): void {
    const row = this.#row(key);
    if (row === undefined) return;
    const { database, background, bulk, root } = this.#context;
    database.transaction("images.snapshot-delete", () => database.run("DELETE FROM snapshots WHERE key = ?", key));
    background.add(bulk.run(removeTrees, { paths: [folders.layer(root, row.id)] }));
  }

  async usage(key: string): Promise<{ bytes: number; files: number }> {
    const row = this.#row(key);
    if (row === undefined)
      throw new GantryError("not-found", { doing: "measure the snapshot", on: key, because: "it does not exist" });
    return this.#context.bulk.run(measureTree, { path: folders.files(this.#context.root, row.id) });
  }

  #row(key: string): SnapshotRow | undefined {
    return this.#context.database.get<SnapshotRow>("SELECT * FROM snapshots WHERE key = ?", key);
  }

  #withLowers(row: SnapshotRow): Snapshot {
    const { root } = this.#context;
    const lowers: string[] = [];
    // A listing must not fail for one whose layer is gone: `check` says so, mounting refuses.
    for (let next = row.parent ?? undefined; next !== undefined; ) {
      const layer = this.#layers.get(next);
      if (layer === undefined) break;
      lowers.push(folders.files(root, layer.id));
      next = layer.parent;
    }
    return this.#snapshot(row, lowers);
  }

  #snapshot(row: SnapshotRow, lowers: readonly string[]): Snapshot {
    const { root } = this.#context;
    return {
      key: row.key,
      id: row.id,
      upper: folders.files(root, row.id),
      work: folders.work(root, row.id),
      lowers,
      ...(row.parent === null ? {} : { parent: row.parent }),
    };
  }

  #relative(parent: Digest | undefined): string[] {
    return this.#layers.stack(parent).map((layer) => `${layer.id}/fs`);
  }

  #data(options: string): OverlayMountData {
    // mount(2) copies one page of options.
    if (options.length > 4095)
      throw new GantryError("unsupported", {
        doing: "mount the layers",
        because: `${options.split(":").length} layers do not fit one mount`,
        next: "Build the image with fewer layers.",
      });
    return { cwd: folders.layers(this.#context.root), options };
  }
}

function copyRoot(from: string, to: string): void {
  using lower = openFolder(from);
  using upper = openFolder(to);
  const metadata = folderMetadata([lower.fd], new Uint8Array(0));
  if (metadata !== undefined) applyMetadataAt(upper.fd, Buffer.from("."), metadata, "other", "the root");
}
