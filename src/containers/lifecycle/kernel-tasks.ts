import { lstatSync, mkdirSync, readdirSync, rmdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { openFolder } from "#base/system/files/open.ts";
import { changeThreadFolder, mount, mountFlags, unmount } from "#base/system/mounts/mount.ts";
import { attachMount, cloneMount } from "#base/system/mounts/move.ts";
import { inNamespace } from "#base/system/namespaces/thread.ts";
import { type Implementation, implement } from "#base/system/pool/contract.ts";
import { bindInto, placeFor } from "./bind-into.ts";
import { bindAt, clearMountPoints } from "./bind-part.ts";
import { changesOf } from "./changes.ts";
import {
  bindPart,
  clearRunFolder,
  clearSecrets,
  keepSecrets,
  listChanges,
  mountLive,
  mountRoot,
  mountShm,
  mountVolumes,
  unmountLive,
} from "./tasks.ts";
import { clearSecretsAt, writeSecrets } from "./write-secrets.ts";

export const lifecycleKernelTasks: readonly Implementation[] = [
  implement(mountRoot, ({ cwd, options, target }) => {
    mkdirSync(target, { recursive: true, mode: 0o700 });
    changeThreadFolder(cwd);
    try {
      mount({ source: "overlay", target, type: "overlay", data: options });
    } finally {
      changeThreadFolder("/");
    }
    return { mounted: true };
  }),
  implement(mountVolumes, ({ root, binds, readonlyRoot }) => {
    for (const bind of binds) bindInto(root, bind);
    // Last: mount points may have to be made in it.
    if (readonlyRoot) mount({ target: root, flags: mountFlags.bind | mountFlags.remount | mountFlags.readonly });
    return { mounted: true };
  }),
  implement(bindPart, (args) => {
    bindAt(args);
    return { mounted: true };
  }),
  implement(mountLive, ({ pid, source, target, readonly, topReadonly }) => {
    using tree = cloneMount(source, { readonly, topReadonly });
    const isFolder = statSync(source).isDirectory();
    inNamespace("mnt", `/proc/${pid}/ns/mnt`, () => {
      using top = openFolder("/");
      using place = placeFor(top, target, isFolder);
      attachMount(tree, place, target);
    });
    return { mounted: true };
  }),
  implement(unmountLive, ({ pid, target }) => ({
    unmounted: inNamespace("mnt", `/proc/${pid}/ns/mnt`, () => unmount(target, { lazy: true })),
  })),
  implement(mountShm, ({ place, size }) => {
    mkdirSync(place, { recursive: true, mode: 0o700 });
    const flags = mountFlags.nosuid | mountFlags.nodev | mountFlags.noexec;
    mount({ source: "shm", target: place, type: "tmpfs", flags, data: `mode=1777,size=${size}` });
    return { mounted: true };
  }),
  implement(keepSecrets, ({ folder, secrets }) => {
    writeSecrets(folder, secrets);
    return { kept: true };
  }),
  implement(clearSecrets, ({ folder }) => {
    clearSecretsAt(folder);
    return { cleared: true };
  }),
  implement(clearRunFolder, ({ folder, rootfs }) => {
    while (unmount(rootfs, { lazy: true }));
    clearMountPoints(join(folder, "mounts"));
    removeUnmounted(folder, rootfs);
    return { cleared: true };
  }),
  implement(listChanges, ({ upper, lowers }) => changesOf(upper, lowers)),
];

/** The root is removed as an empty folder or not at all: a mount that came back must never be emptied. */
function removeUnmounted(folder: string, rootfs: string): void {
  try {
    if (lstatSync(rootfs).isDirectory()) rmdirSync(rootfs);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  try {
    for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true });
    rmdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
