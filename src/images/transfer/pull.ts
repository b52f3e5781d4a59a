import { GantryError, isKind } from "#base/core/errors.ts";
import type { Descriptor, Platform } from "#formats/oci/contract.ts";
import { isForeignLayer, parseDocument } from "#formats/oci/document.ts";
import { choosePlatform, formatPlatform, hostPlatform } from "#formats/oci/platform.ts";
import { canonicalReference, parseReference } from "#formats/oci/reference.ts";
import type { Repository, RepositoryOptions, ResolvedDocument } from "#images/distribution/contract.ts";
import type { Lease, Store } from "#images/store/contract.ts";
import type { Pulled, PullOptions } from "./contract.ts";

const parallel = 3;

export type OpenRepository = (options: RepositoryOptions) => Repository;

export async function pull(store: Store, open: OpenRepository, text: string, options: PullOptions): Promise<Pulled> {
  const reference = parseReference(text);
  const name = canonicalReference(reference);
  const repository = open({
    reference,
    actions: ["pull"],
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
  });
  using lease = store.leases.begin(`pull ${name}`);
  // A digest is asked of the named repository even when the content is here (tag@digest confusion).
  const top = await repository.resolve(reference.digest ?? reference.tag ?? "latest", options.signal);
  await keep(store, lease, top);
  const manifest = await chooseManifest(store, lease, repository, top, options, name);
  const document = parseDocument(manifest.bytes, { mediaType: manifest.descriptor.mediaType });
  if (document.kind !== "manifest")
    throw new GantryError("invalid", { doing: "pull the image", on: name, because: "an index points to an index" });
  const { config, layers } = document.manifest;
  for (const layer of layers) refuseForeign(layer, name);
  await fetchAll(store, lease, repository, [config, ...layers], layers, options);
  const before = previous(store, name);
  const record = store.images.put(top.descriptor, [name]);
  const image = await store.images.open(record, options.platform);
  if (options.unpack !== false) {
    await store.layers.ensure(image, {
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      onProgress: ({ layer, bytes }) => {
        const descriptor = layers.find((candidate) => candidate.digest === layer);
        if (descriptor !== undefined) options.onProgress?.({ descriptor, phase: "unpacking", bytes });
      },
    });
  }
  for (const descriptor of layers) options.onProgress?.({ descriptor, phase: "done" });
  return { record, image, updated: before !== record.id };
}

async function keep(store: Store, lease: Lease, document: ResolvedDocument): Promise<void> {
  lease.add({ blob: document.descriptor.digest });
  await store.blobs.put(document.bytes, { digest: document.descriptor.digest });
}

function previous(store: Store, name: string): string | undefined {
  try {
    return store.images.resolve(name).id;
  } catch (error) {
    if (isKind(error, "not-found")) return undefined;
    throw error;
  }
}

async function chooseManifest(
  store: Store,
  lease: Lease,
  repository: Repository,
  top: ResolvedDocument,
  options: PullOptions,
  name: string,
): Promise<ResolvedDocument> {
  const document = parseDocument(top.bytes, { mediaType: top.descriptor.mediaType });
  if (document.kind === "manifest") return top;
  const wanted: Platform = options.platform ?? hostPlatform();
  const chosen = choosePlatform(document.index.manifests, wanted);
  if (chosen === undefined) {
    const offered = document.index.manifests.flatMap(({ platform }) =>
      platform === undefined ? [] : [formatPlatform(platform)],
    );
    throw new GantryError("not-found", {
      doing: "pull the image",
      on: name,
      because: `it has no manifest for ${formatPlatform(wanted)}, only for ${offered.join(", ") || "none"}`,
      next: "Name one of these with --platform.",
    });
  }
  const manifest = await repository.resolve(chosen.digest, options.signal);
  await keep(store, lease, manifest);
  return manifest;
}

/** A layer's `urls` lead to other hosts, which would be asked with nobody's leave (CVE-2020-15157). */
function refuseForeign(layer: Descriptor, name: string): void {
  if (!isForeignLayer(layer.mediaType)) return;
  throw new GantryError("unsupported", {
    doing: "pull the image",
    on: name,
    because: `its layer ${layer.digest} may not be distributed and lives elsewhere`,
  });
}

async function fetchAll(
  store: Store,
  lease: Lease,
  repository: Repository,
  wanted: readonly Descriptor[],
  layers: readonly Descriptor[],
  options: PullOptions,
): Promise<void> {
  const shown = new Set(layers);
  for (const descriptor of layers)
    options.onProgress?.({ descriptor, phase: store.blobs.has(descriptor.digest) ? "here" : "waiting" });
  const queue = [...new Map(wanted.map((descriptor) => [descriptor.digest, descriptor])).values()];
  const failed = new AbortController();
  const signal = options.signal === undefined ? failed.signal : AbortSignal.any([options.signal, failed.signal]);
  async function worker(): Promise<void> {
    for (let descriptor = queue.shift(); descriptor !== undefined; descriptor = queue.shift()) {
      const current = descriptor;
      lease.add({ blob: current.digest });
      await store.blobs.fetch(current, (offset, inner) => repository.openBlob(current, offset, inner), {
        signal,
        onProgress: (bytes) => {
          if (shown.has(current)) options.onProgress?.({ descriptor: current, phase: "downloading", bytes });
        },
      });
    }
  }
  try {
    await Promise.all(Array.from({ length: parallel }, worker));
  } catch (error) {
    // The first failure stops the others, so that the error comes at once and not after the last layer.
    failed.abort(error);
    throw error;
  }
}
