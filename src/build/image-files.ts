import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Platform } from "#formats/oci/contract.ts";
import type { ImageRecord } from "#images/store/contract.ts";
import type { BuilderPorts, ImageFiles } from "./contract.ts";
import { mountRoot, unmountRoot } from "./tasks.ts";

/** See `Builder.openFiles`. The folder has a build's form, so that what a dead engine left is cleared as one. */
export async function openImageFiles(
  { store, kernel, scratch, random }: BuilderPorts,
  image: ImageRecord,
  platform: Platform | undefined,
  signal: AbortSignal,
): Promise<ImageFiles> {
  const lease = store.leases.begin(`files of ${image.id}`);
  const folder = join(scratch, random.hex(6));
  const target = join(folder, "files-0/root");
  mkdirSync(target, { recursive: true, mode: 0o700 });
  const close = async () => {
    await kernel.run(unmountRoot, { target });
    rmSync(folder, { recursive: true, force: true });
    lease[Symbol.dispose]();
  };
  try {
    lease.add({ image: image.id });
    const chain = await store.layers.ensure(await store.images.open(image, platform), { signal });
    if (chain !== undefined) await kernel.run(mountRoot, { data: store.snapshots.readOnlyMountData(chain), target });
    return { folder: target, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}
