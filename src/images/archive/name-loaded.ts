import type { Descriptor, Digest } from "#formats/oci/contract.ts";
import type { Store } from "#images/store/contract.ts";
import type { LoadedImage } from "./contract.ts";

/** Gives a loaded image its names, and says whose they were. */
export function nameLoaded(
  store: Store,
  { descriptor, names }: { readonly descriptor: Descriptor; readonly names: readonly string[] },
): LoadedImage {
  const replaced = new Map<string, Digest>();
  for (const { id, names: had } of store.images.list())
    if (id !== descriptor.digest) for (const name of names) if (had.includes(name)) replaced.set(name, id);
  return { names, target: store.images.put(descriptor, names).target, replaced };
}
