import { closeSync, openSync, writeSync } from "node:fs";
import { type Clock, systemClock } from "#base/core/clock.ts";
import type { WorkerPool } from "#base/system/pool/contract.ts";
import { mediaTypes } from "#formats/oci/contract.ts";
import { encodeDocument } from "#formats/oci/image-config.ts";
import { hostPlatform } from "#formats/oci/platform.ts";
import { normalizeReference } from "#formats/oci/reference.ts";
import type { Store } from "#images/store/contract.ts";
import { repackLayer } from "#images/store/tasks.ts";
import { applyChanges } from "./changes.ts";
import type { Archive, ImportOptions, LoadedImage } from "./contract.ts";
import { loadArchive } from "./load.ts";
import { saveArchive } from "./save.ts";

export interface ArchiveOptions {
  readonly store: Store;
  readonly bulk: WorkerPool;
  readonly clock?: Clock;
}

export function openArchive(options: ArchiveOptions): Archive {
  const { store } = options;
  return {
    load: (tar, load = {}) => loadArchive(store, tar, load),
    save: (names, save = {}) => saveArchive(store, names, save),
    importRootfs: (tar, given = {}) => importRootfs(options, tar, given),
  };
}

async function importRootfs(
  { store, bulk, clock = systemClock }: ArchiveOptions,
  tar: ReadableStream<Uint8Array>,
  options: ImportOptions,
): Promise<LoadedImage> {
  // Both before any byte is read: a wrong word should not cost a long upload.
  const config = applyChanges(options.config ?? {}, options.changes ?? []);
  const names = options.name === undefined ? [] : [normalizeReference(options.name)];
  using lease = store.leases.begin("import");
  const raw = store.blobs.reserve();
  const packed = store.blobs.reserve();
  try {
    await spool(tar, raw.path, options.signal);
    const run = options.signal === undefined ? {} : { signal: options.signal };
    const layer = await bulk.run(repackLayer, { input: raw.path, output: packed.path }, run);
    lease.add({ blob: layer.digest });
    await store.blobs.adopt(packed.id, layer);
    const created = options.created ?? new Date(clock.now()).toISOString();
    const platform = options.platform ?? hostPlatform();
    const comment = options.message ?? "imported";
    const configBytes = encodeDocument({
      created,
      ...platform,
      config,
      rootfs: { type: "layers", diff_ids: [layer.diffId] },
      history: [{ created, comment }],
    });
    const stored = await store.blobs.put(configBytes);
    lease.add({ blob: stored.digest });
    const manifest = await store.blobs.put(
      encodeDocument({
        schemaVersion: 2,
        mediaType: mediaTypes.manifest,
        config: { mediaType: mediaTypes.config, digest: stored.digest, size: stored.size },
        layers: [{ mediaType: layer.mediaType, digest: layer.digest, size: layer.size }],
      }),
    );
    lease.add({ blob: manifest.digest });
    const target = { mediaType: mediaTypes.manifest, digest: manifest.digest, size: manifest.size };
    return { names, target: store.images.put(target, names).target };
  } finally {
    store.blobs.discard(raw.id);
    store.blobs.discard(packed.id);
  }
}

async function spool(source: ReadableStream<Uint8Array>, path: string, signal: AbortSignal | undefined): Promise<void> {
  const fd = openSync(path, "w", 0o600);
  try {
    for await (const chunk of source) {
      signal?.throwIfAborted();
      for (let done = 0; done < chunk.length; ) done += writeSync(fd, chunk, done, chunk.length - done);
    }
  } finally {
    closeSync(fd);
  }
}
