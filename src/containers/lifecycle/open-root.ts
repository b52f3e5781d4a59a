import { openFolder } from "#base/system/files/open.ts";
import type { MountSpec } from "#containers/runtime/contract.ts";
import type { Context, Entry } from "./context.ts";
import { readyMounts, releaseVolumes } from "./ready-mounts.ts";
import { clearRunFolder, mountRoot, mountVolumes, type VolumeBind } from "./tasks.ts";

type OpenRoot = { readonly path: string } & AsyncDisposable;

/** See `Containers.openRoot`: a running container's own, or one mounted for as long as the handle lives. */
export async function openRootOf(context: Context, entry: Entry, mounts: boolean): Promise<OpenRoot> {
  if (entry.running) return runningRoot(entry, mounts);
  const release = Promise.withResolvers<void>();
  const ready = Promise.withResolvers<OpenRoot>();
  const until = async () => {
    release.resolve();
    await held;
  };
  // The container's lock is held meanwhile: it can neither start over the mount nor be removed under it.
  const held = entry.serial.run(async () => {
    if (entry.running) {
      ready.resolve(runningRoot(entry, mounts));
      return;
    }
    const { id, image, platform } = entry.record;
    const root = entry.paths.rootfs;
    const { cwd, options } = await context.rootfs.prepare(id, image, platform);
    try {
      await context.kernel.run(mountRoot, { cwd, options, target: root });
      const readonlyRoot = entry.record.config.readonlyRootfs ?? false;
      if (mounts) {
        const binds = bindsOf(await readyMounts(context, entry)).filter(
          ({ source }) => !source.startsWith(entry.paths.secrets),
        );
        await context.kernel.run(mountVolumes, { root, binds, readonlyRoot });
      }
      ready.resolve({ path: root, [Symbol.asyncDispose]: until });
      await release.promise;
    } finally {
      await context.kernel.run(clearRunFolder, { folder: entry.paths.run, rootfs: root });
      if (mounts) await releaseVolumes(context, entry);
    }
  });
  held.catch(ready.reject);
  return ready.promise;
}

function runningRoot({ record: { state }, paths }: Entry, mounts: boolean): OpenRoot {
  const nothing = () => Promise.resolve();
  if (!mounts || !("pid" in state)) return { path: paths.rootfs, [Symbol.asyncDispose]: nothing };
  // The root as its first process sees it: names below this descriptor go through the container's own mounts.
  const root = openFolder(`/proc/${state.pid}/root`);
  return {
    path: `/proc/self/fd/${root.fd}`,
    [Symbol.asyncDispose]: async () => root[Symbol.dispose](),
  };
}

function bindsOf(mounts: readonly MountSpec[]): VolumeBind[] {
  const depth = (path: string) => path.split("/").length;
  return mounts
    .flatMap((mount) => (mount.type === "bind" ? [mount] : []))
    .map(({ source, target, readonly = false }) => ({ source, target, readonly }))
    .sort((a, b) => depth(a.target) - depth(b.target));
}
