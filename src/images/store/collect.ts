import type { Descriptor, Digest } from "#formats/oci/contract.ts";
import type { DiskBlobStore } from "./blob-store.ts";
import type { StoreContext } from "./context.ts";
import type { Collected, CollectOptions, ImageStore } from "./contract.ts";
import type { Documents } from "./documents.ts";
import type { FolderLayerStore, LayerRow } from "./layer-store.ts";
import type { MemoryLeaseStore } from "./lease-store.ts";

/** So few at a time that the event loop never waits long. */
const batch = 32;

export interface CollectParts {
  readonly context: StoreContext;
  readonly blobs: DiskBlobStore;
  readonly images: ImageStore;
  readonly layers: FolderLayerStore;
  readonly leases: MemoryLeaseStore;
  readonly documents: Documents;
}

interface Reached {
  readonly blobs: Set<Digest>;
  readonly chains: Set<Digest>;
}

/**
 * Mark, then sweep in small synchronous batches. Whatever became reachable meanwhile has touched the store's watch:
 * then the marking is done again before the next batch. Nothing made after the beginning is removed.
 */
export async function collect(parts: CollectParts, options: CollectOptions): Promise<Collected> {
  const { context, blobs, layers, leases } = parts;
  const newest = context.clock.now() - (options.grace ?? 0);
  leases.forgetExpired();
  const total = { blobs: 0, layers: 0, bytes: 0 };
  let seen = context.watch.changes;
  let marked = await mark(parts);
  const current = async () => {
    options.signal?.throwIfAborted();
    while (seen !== context.watch.changes) {
      seen = context.watch.changes;
      marked = await mark(parts);
    }
  };
  await current();

  // Children before parents, so that an interruption never leaves a layer without what it lies on.
  const rows = context.database.all<LayerRow>("SELECT * FROM layers ORDER BY created DESC, rowid DESC");
  for (let at = 0; at < rows.length; at += batch) {
    await current();
    const gone = rows.slice(at, at + batch).filter((row) => row.created < newest && !marked.chains.has(row.chain_id));
    if (gone.length > 0) layers.remove(gone);
    total.layers += gone.length;
    total.bytes += gone.reduce((sum, row) => sum + row.size, 0);
    if (gone.length > 0) options.onProgress?.({ ...total });
    await new Promise(setImmediate);
  }
  const infos = blobs.list();
  for (let at = 0; at < infos.length; at += batch) {
    await current();
    let removed = false;
    for (const info of infos.slice(at, at + batch)) {
      if (info.created >= newest || marked.blobs.has(info.digest)) continue;
      if (!blobs.remove(info.digest)) continue;
      total.blobs += 1;
      total.bytes += info.size;
      removed = true;
    }
    if (removed) options.onProgress?.({ ...total });
    await new Promise(setImmediate);
  }
  await context.background.settle();
  return total;
}

async function mark({ context, images, layers, leases, documents }: CollectParts): Promise<Reached> {
  const reached: Reached = { blobs: new Set(), chains: new Set() };
  const seen = context.watch.changes;
  for (const image of images.list()) {
    await documents.reach(image.target, reached.blobs, reached.chains);
    if (seen !== context.watch.changes) break;
  }
  const ids: Descriptor[] = [];
  for (const held of leases.held()) {
    if (held.kind === "blob") reached.blobs.add(held.key);
    else if (held.kind === "chain") reached.chains.add(held.key);
    else {
      const image = images.get(held.key);
      if (image !== undefined) ids.push(image.target);
    }
  }
  for (const target of ids) await documents.reach(target, reached.blobs, reached.chains);
  for (const row of context.database.all<{ parent: Digest }>("SELECT parent FROM snapshots WHERE parent IS NOT NULL"))
    reached.chains.add(row.parent);
  // A layer needs all below it, and its blob to be unpacked again.
  for (const chain of [...reached.chains])
    for (let next: Digest | undefined = chain; next !== undefined; ) {
      const layer = layers.get(next);
      reached.chains.add(next);
      if (layer !== undefined) reached.blobs.add(layer.blob);
      next = layer?.parent;
    }
  return reached;
}
