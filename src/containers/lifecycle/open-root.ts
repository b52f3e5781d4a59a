import type { Context, Entry } from "./context.ts";
import { clearRunFolder, mountRoot } from "./tasks.ts";

/** See `Containers.openRoot`: a running container's own mount, or one made for as long as the handle lives. */
export async function openRootOf(context: Context, entry: Entry): Promise<{ readonly path: string } & AsyncDisposable> {
  if (entry.running) return { path: entry.paths.rootfs, [Symbol.asyncDispose]: () => Promise.resolve() };
  const release = Promise.withResolvers<void>();
  const ready = Promise.withResolvers<string>();
  // The container's lock is held meanwhile: it can neither start over the mount nor be removed under it.
  const held = entry.serial.run(async () => {
    if (entry.running) {
      ready.resolve(entry.paths.rootfs);
      return;
    }
    const { id, image, platform } = entry.record;
    const { cwd, options } = await context.rootfs.prepare(id, image, platform);
    await context.kernel.run(mountRoot, { cwd, options, target: entry.paths.rootfs });
    ready.resolve(entry.paths.rootfs);
    await release.promise;
    await context.kernel.run(clearRunFolder, { folder: entry.paths.run, rootfs: entry.paths.rootfs });
  });
  held.catch(ready.reject);
  const path = await ready.promise;
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      release.resolve();
      await held;
    },
  };
}
