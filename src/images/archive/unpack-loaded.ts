import { GantryError, isKind } from "#base/core/errors.ts";
import { type Descriptor, mediaTypes } from "#formats/oci/contract.ts";
import { parseDocument } from "#formats/oci/document.ts";
import { formatPlatform } from "#formats/oci/platform.ts";
import type { Lease, ResolvedImage, Store } from "#images/store/contract.ts";
import { layerFault } from "#images/store/layer-fault.ts";
import type { LoadOptions } from "./contract.ts";

const doing = "load the image";
const imageConfigs: readonly string[] = [mediaTypes.config, mediaTypes.dockerConfig];

/**
 * Unpacks what of a loaded image this machine (or `platform`) would run, before any name is given: a layer that is no
 * whole tar is refused now, not by the first container.
 */
export async function unpackLoaded(
  store: Store,
  lease: Lease,
  target: { readonly descriptor: Descriptor; readonly names: readonly string[] },
  options: LoadOptions,
): Promise<void> {
  const shown = target.names[0] ?? target.descriptor.digest;
  const image = await runnable(store, target.descriptor, options, shown);
  if (image === undefined) return;
  for (const chain of image.chain) lease.add({ chain });
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  for (const [index, layer] of image.manifest.layers.entries()) {
    const diffId = image.config.rootfs.diff_ids[index]!;
    const onProgress = ({ bytes }: { readonly bytes: number }) =>
      options.onProgress?.({ phase: "unpacking", bytes, layer: { diffId, size: layer.size } });
    try {
      await store.layers.unpack(layer, diffId, image.chain[index - 1], { ...signal, onProgress });
    } catch (error) {
      throw layerFault(error, doing, shown, layer.digest);
    }
  }
}

/** undefined: an index without this platform, or an artifact that nothing runs. */
async function runnable(
  store: Store,
  descriptor: Descriptor,
  { platform }: LoadOptions,
  shown: string,
): Promise<ResolvedImage | undefined> {
  const document = parseDocument(await store.blobs.read(descriptor.digest), { mediaType: descriptor.mediaType });
  if (document.kind === "manifest" && !imageConfigs.includes(document.manifest.config.mediaType)) return undefined;
  const record = { id: descriptor.digest, target: descriptor, names: [], created: 0 };
  try {
    return await store.images.open(record, platform);
  } catch (error) {
    if (!isKind(error, "not-found")) throw error;
    if (platform === undefined) return undefined;
    throw new GantryError("not-found", {
      doing,
      on: shown,
      because: `the archive has nothing of it for ${formatPlatform(platform)}`,
      next: "Name a platform that it has, or leave --platform out.",
      cause: error,
    });
  }
}
