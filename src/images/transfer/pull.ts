import type { Clock } from "#base/core/clock.ts";
import { GantryError, isKind } from "#base/core/errors.ts";
import type { Descriptor, Manifest, Reference } from "#formats/oci/contract.ts";
import { isForeignLayer, parseDocument } from "#formats/oci/document.ts";
import { choosePlatform, formatPlatform, hostPlatform } from "#formats/oci/platform.ts";
import { canonicalReference, parseReference, repositoryOf, withDefaultTag } from "#formats/oci/reference.ts";
import type { Repository, RepositoryOptions, ResolvedDocument } from "#images/distribution/contract.ts";
import type { Lease, ResolvedImage, Store } from "#images/store/contract.ts";
import { layerFault } from "#images/store/layer-fault.ts";
import type { LayerProgress, Pulled, PullOptions } from "./contract.ts";
import { Parts } from "./fetch-parts.ts";
import { together } from "./lanes.ts";

const doing = "pull the image";
const deepestIndex = 4;

export type OpenRepository = (options: RepositoryOptions) => Repository;

export interface TransferParts {
  readonly store: Store;
  readonly open: OpenRepository;
  readonly clock: Clock;
}

/** The name is given last, when everything it stands for is here and unpacked: a pull that fails changes no name. */
export async function pull(parts: TransferParts, text: string, options: PullOptions): Promise<Pulled> {
  const { store, open, clock } = parts;
  const { credentials, signal } = options;
  const reference = withDefaultTag(parseReference(text));
  const name = storedName(reference);
  const repository = open({ reference, actions: ["pull"], ...(credentials === undefined ? {} : { credentials }) });
  using lease = store.leases.begin(`pull ${name}`);
  // A digest is asked of the named repository even when the content is here (tag@digest confusion).
  const top = await repository.resolve(reference.digest ?? reference.tag!, signal);
  await keep(store, lease, top);
  const manifest = await chooseManifest(store, lease, repository, top, options, name);
  for (const layer of manifest.layers) refuseForeign(layer, name);
  let image: ResolvedImage | undefined;
  await together(signal, (inner) => {
    const say = (progress: LayerProgress) => options.onProgress?.(progress);
    const fetching = new Parts({ store, lease, repository, clock, signal: inner, onBytes: downloading(manifest, say) });
    const config = fetching.fetch(manifest.config);
    const layers = fetchLayers(store, fetching, manifest, say);
    // Never waited for alone: `together` sees each one's failure.
    const unpacked = config.then(async () => {
      // The record is made up until the image has one; only its target is read.
      const record = { id: top.descriptor.digest, target: top.descriptor, names: [name], created: clock.now() };
      image = await store.images.open(record, options.platform);
      if (options.unpack !== false) await unpack(store, lease, image, layers, inner, say);
    });
    return [config, ...layers, unpacked];
  });
  for (const descriptor of manifest.layers) options.onProgress?.({ descriptor, phase: "done" });
  const before = previous(store, name);
  const record = store.images.put(top.descriptor, [name]);
  return { record, image: { ...image!, record }, updated: before !== record.id };
}

/** A digest says all: what was pulled as name:tag@digest is name@digest. */
function storedName(reference: Reference): string {
  const { digest } = reference;
  return digest === undefined ? canonicalReference(reference) : `${repositoryOf(reference)}@${digest}`;
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
  on: string,
): Promise<Manifest> {
  const wanted = options.platform ?? hostPlatform();
  let current = top;
  for (let depth = 0; depth <= deepestIndex; depth += 1) {
    const document = parseDocument(current.bytes, { mediaType: current.descriptor.mediaType });
    if (document.kind === "manifest") return document.manifest;
    const chosen = choosePlatform(document.index.manifests, wanted);
    if (chosen === undefined) {
      const offered = document.index.manifests.flatMap(({ platform }) =>
        platform === undefined ? [] : [formatPlatform(platform)],
      );
      throw new GantryError("not-found", {
        doing,
        on,
        because: `it has no manifest for ${formatPlatform(wanted)}, only for ${offered.join(", ") || "none"}`,
        next: "Name one of these with --platform.",
      });
    }
    current = await repository.resolve(chosen.digest, options.signal);
    await keep(store, lease, current);
  }
  throw new GantryError("invalid", { doing, on, because: "its indexes point to indexes without an end" });
}

/** A layer's `urls` lead to other hosts, which would be asked with nobody's leave (CVE-2020-15157). */
function refuseForeign(layer: Descriptor, on: string): void {
  if (!isForeignLayer(layer.mediaType)) return;
  const because = `its layer ${layer.digest} may not be distributed and lives elsewhere`;
  throw new GantryError("unsupported", { doing, on, because });
}

/** A download for each layer, in their order; the same layer twice is one download. */
function fetchLayers(
  store: Store,
  fetching: Parts,
  manifest: Manifest,
  say: (progress: LayerProgress) => void,
): Promise<void>[] {
  const begun = new Map<string, Promise<void>>();
  return manifest.layers.map((descriptor) => {
    say({ descriptor, phase: store.blobs.has(descriptor.digest) ? "here" : "waiting" });
    const work = begun.get(descriptor.digest) ?? fetching.fetch(descriptor);
    begun.set(descriptor.digest, work);
    return work;
  });
}

/** Each layer is unpacked as soon as it and all below it are here, while others still come. */
async function unpack(
  store: Store,
  lease: Lease,
  image: ResolvedImage,
  fetched: readonly Promise<void>[],
  signal: AbortSignal,
  say: (progress: LayerProgress) => void,
): Promise<void> {
  for (const chain of image.chain) lease.add({ chain });
  for (const [index, descriptor] of image.manifest.layers.entries()) {
    await fetched[index];
    const onProgress = ({ bytes }: { readonly bytes: number }) => say({ descriptor, phase: "unpacking", bytes });
    const diffId = image.config.rootfs.diff_ids[index]!;
    try {
      await store.layers.unpack(descriptor, diffId, image.chain[index - 1], { signal, onProgress });
    } catch (error) {
      throw layerFault(error, doing, image.record.names[0]!, descriptor.digest);
    }
  }
}

/** Tells of a layer's bytes at every half mebibyte, and of its last. */
function downloading(
  manifest: Manifest,
  say: (progress: LayerProgress) => void,
): (descriptor: Descriptor, bytes: number) => void {
  const shown = new Map(manifest.layers.map((layer) => [layer.digest, -1]));
  return (descriptor, bytes) => {
    const last = shown.get(descriptor.digest);
    const step = Math.floor(bytes / 2 ** 19);
    if (last === undefined || (last === step && bytes < descriptor.size)) return;
    shown.set(descriptor.digest, step);
    say({ descriptor, phase: "downloading", bytes });
  };
}
