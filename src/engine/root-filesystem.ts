import { GantryError } from "#base/core/errors.ts";
import type { OverlayMount, RootFilesystem } from "#containers/lifecycle/contract.ts";
import type { Digest, Platform } from "#formats/oci/contract.ts";
import type { Store } from "#images/store/contract.ts";

/** Containers' writable layers in the store: the snapshot's key is the container's id. */
export function rootFilesystem(store: Store): RootFilesystem {
  async function unpacked(image: string, platform: Platform | undefined, user: string) {
    const record = store.images.get(image as Digest);
    if (record === undefined) {
      throw new GantryError("not-found", {
        doing: "make the root file system of",
        on: user,
        because: `its image ${image} is gone`,
      });
    }
    using lease = store.leases.begin(user);
    lease.add({ image: record.id });
    return await store.layers.ensure(await store.images.open(record, platform));
  }
  async function make(container: string, image: string, platform: Platform | undefined) {
    return store.snapshots.prepare(container, await unpacked(image, platform, `container ${container}`));
  }
  return {
    async prepare(container, image, platform): Promise<OverlayMount> {
      const snapshot = store.snapshots.get(container) ?? (await make(container, image, platform));
      return { ...store.snapshots.overlayMountData(snapshot), upper: snapshot.upper };
    },
    async readOnly(image, platform) {
      const chain = await unpacked(image, platform, `the image mount of ${image}`);
      if (chain !== undefined) return store.snapshots.readOnlyMountData(chain);
      throw new GantryError("invalid", { doing: "mount the image", on: image, because: "it holds no files" });
    },
    async remove(container) {
      store.snapshots.remove(container);
    },
  };
}
