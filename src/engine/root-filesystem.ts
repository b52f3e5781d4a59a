import { GantryError } from "#base/core/errors.ts";
import type { OverlayMount, RootFilesystem } from "#containers/lifecycle/contract.ts";
import type { Digest, Platform } from "#formats/oci/contract.ts";
import type { Store } from "#images/store/contract.ts";

/** Containers' writable layers in the store: the snapshot's key is the container's id. */
export function rootFilesystem(store: Store): RootFilesystem {
  async function make(container: string, image: string, platform: Platform | undefined) {
    const record = store.images.get(image as Digest);
    if (record === undefined) {
      throw new GantryError("not-found", {
        doing: "make the root file system of",
        on: container,
        because: `its image ${image} is gone`,
      });
    }
    using lease = store.leases.begin(`container ${container}`);
    lease.add({ image: record.id });
    const chain = await store.layers.ensure(await store.images.open(record, platform));
    return store.snapshots.prepare(container, chain);
  }
  return {
    async prepare(container, image, platform): Promise<OverlayMount> {
      const snapshot = store.snapshots.get(container) ?? (await make(container, image, platform));
      return { ...store.snapshots.overlayMountData(snapshot), upper: snapshot.upper };
    },
    async remove(container) {
      store.snapshots.remove(container);
    },
  };
}
