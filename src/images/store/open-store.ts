import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { type Clock, systemClock } from "#base/core/clock.ts";
import { type Faults, noFaults } from "#base/core/faults.ts";
import { type Random, systemRandom } from "#base/core/random.ts";
import type { Database } from "#base/system/database/contract.ts";
import { migrate } from "#base/system/database/migrate.ts";
import type { WorkerPool } from "#base/system/pool/contract.ts";
import type { Digest } from "#formats/oci/contract.ts";
import { DiskBlobStore } from "./blob-store.ts";
import { check, repair, unnamedBlobs, unnamedLayers, unpackAgain } from "./check.ts";
import { type CollectParts, collect } from "./collect.ts";
import { Background, emptyLayer, folders, RootWatch, type StoreContext } from "./context.ts";
import type { CheckOptions, Collected, CollectOptions, Finding, Store, StoreUsage } from "./contract.ts";
import { Documents } from "./documents.ts";
import { dropFile, isDropped } from "./drop-file.ts";
import { RowImageStore } from "./image-store.ts";
import { FolderLayerStore } from "./layer-store.ts";
import { MemoryLeaseStore } from "./lease-store.ts";
import { storeSchema } from "./schema.ts";
import { OverlaySnapshotStore } from "./snapshot-store.ts";
import { removeTrees } from "./tasks.ts";

export interface StoreOptions {
  /** The data root, locked by the caller: only one process may open it. */
  readonly root: string;
  readonly database: Database;
  readonly bulk: WorkerPool;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly faults?: Faults;
  /** Default: the kernel's. A test gives another to play a reboot. */
  readonly boot?: string;
}

/** Opens or makes the store and clears away what a crash left half done. Does not close the database or the pool. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { root, database, bulk } = options;
  for (const folder of [folders.ingest(root), folders.blobs(root, "sha256"), folders.blobs(root, "sha512")])
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  mkdirSync(folders.files(root, emptyLayer), { recursive: true, mode: 0o755 });
  migrate(database, "images", storeSchema);
  const context: StoreContext = {
    root,
    database,
    bulk,
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    faults: options.faults ?? noFaults,
    boot: options.boot ?? readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    watch: new RootWatch(),
    background: new Background(),
  };
  const leases = new MemoryLeaseStore(context);
  const blobs = new DiskBlobStore(context, (digest) => leases.isHeld(digest));
  const documents = new Documents(blobs);
  const images = new RowImageStore(context, blobs, documents);
  const layers = new FolderLayerStore(context, blobs);
  const snapshots = new OverlaySnapshotStore(context, layers, blobs);
  const store = new OpenStore({ context, blobs, images, layers, leases, documents }, snapshots);
  await store.recover();
  return store;
}

class OpenStore implements Store {
  readonly root: string;
  readonly blobs: DiskBlobStore;
  readonly images: CollectParts["images"];
  readonly layers: FolderLayerStore;
  readonly leases: MemoryLeaseStore;
  readonly snapshots: OverlaySnapshotStore;
  readonly #parts: CollectParts;
  #collecting: Promise<Collected> | undefined;

  constructor(parts: CollectParts, snapshots: OverlaySnapshotStore) {
    this.#parts = parts;
    this.root = parts.context.root;
    this.blobs = parts.blobs;
    this.images = parts.images;
    this.layers = parts.layers;
    this.leases = parts.leases;
    this.snapshots = snapshots;
  }

  /** A file without a row was on its way in or out: it goes. A layer that a power loss may have caught is unpacked again. */
  async recover(): Promise<void> {
    const { context } = this.#parts;
    for (const path of unnamedBlobs(this.#parts)) dropFile(context, path);
    for (const id of readdirSync(folders.ingest(this.root)))
      if (isDropped(id)) dropFile(context, folders.ingest(this.root, id));
    const left = unnamedLayers(this.#parts);
    if (left.length > 0) context.background.add(context.bulk.run(removeTrees, { paths: left }));
    const doubtful = context.database.all<{ chain_id: Digest }>(
      "SELECT chain_id FROM layers WHERE synced = 0 AND boot <> ? ORDER BY created, rowid",
      context.boot,
    );
    for (const row of doubtful) await unpackAgain(this.#parts, row.chain_id);
  }

  collect(options: CollectOptions = {}): Promise<Collected> {
    this.#collecting ??= collect(this.#parts, options).finally(() => {
      this.#collecting = undefined;
    });
    return this.#collecting;
  }

  async check(options: CheckOptions = {}): Promise<Finding[]> {
    await this.#parts.context.background.settle();
    return check(this.#parts, options);
  }

  async repair(findings: readonly Finding[], options: { readonly signal?: AbortSignal } = {}): Promise<Finding[]> {
    await repair(this.#parts, findings, options.signal);
    return this.check();
  }

  usage(): StoreUsage {
    const { database } = this.#parts.context;
    const one = (sql: string) => database.get<{ count: number; bytes: number }>(sql)!;
    const blobs = one("SELECT COUNT(*) AS count, COALESCE(SUM(size), 0) AS bytes FROM blobs");
    const layers = one("SELECT COUNT(*) AS count, COALESCE(SUM(size), 0) AS bytes FROM layers");
    const snapshots = one("SELECT COUNT(*) AS count, 0 AS bytes FROM snapshots");
    const images = one("SELECT COUNT(*) AS count, 0 AS bytes FROM images");
    const named = one("SELECT COUNT(DISTINCT target) AS count, 0 AS bytes FROM image_names");
    return {
      blobs,
      layers,
      snapshots: { count: snapshots.count },
      images: { count: images.count, dangling: images.count - named.count },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const failures = await this.#parts.context.background.settle();
    if (failures.length > 0) throw failures[0];
  }
}
