import { task } from "#base/system/pool/contract.ts";
import type { Change, Secret } from "./contract.ts";

/** Kernel work of containers. Implemented in `kernel-tasks.ts`, which only a Worker loads. */
export const mountRoot = task<
  { readonly cwd: string; readonly options: string; readonly target: string },
  { readonly mounted: true }
>("containers.mount-root");

/** Binds into a mounted root, outer before inner; places that are missing are made, as a start makes them. */
export const mountVolumes = task<
  { readonly root: string; readonly binds: readonly VolumeBind[]; readonly readonlyRoot: boolean },
  { readonly mounted: true }
>("containers.mount-volumes");

export interface VolumeBind {
  readonly source: string;
  readonly target: string;
  readonly readonly: boolean;
}

/**
 * Binds a source, or what `subpath` names below it, to `place`, which it makes; no link leads out of the source.
 * `shallow`: without what is mounted below.
 */
export const bindPart = task<
  { readonly source: string; readonly subpath?: string; readonly place: string; readonly shallow: boolean },
  { readonly mounted: true }
>("containers.bind-part");

/** Mounts into the mounts of a running process's namespace, at a place resolved below that namespace's root. */
export const mountLive = task<
  VolumeBind & { readonly pid: number; readonly topReadonly: boolean },
  { readonly mounted: true }
>("containers.mount-live");

/** Takes a mount out of a running process's namespace. */
export const unmountLive = task<{ readonly pid: number; readonly target: string }, { readonly unmounted: boolean }>(
  "containers.unmount-live",
);

/** A memory file system for /dev/shm, for several containers to bind. */
export const mountShm = task<{ readonly place: string; readonly size: number }, { readonly mounted: true }>(
  "containers.mount-shm",
);

/** Writes secrets into a memory file system at `folder`. */
export const keepSecrets = task<
  { readonly folder: string; readonly secrets: readonly Secret[] },
  { readonly kept: true }
>("containers.keep-secrets");

/** Missing is no error. */
export const clearSecrets = task<{ readonly folder: string }, { readonly cleared: true }>("containers.clear-secrets");

/** Unmounts it if mounted and removes the whole folder around it; nothing of a mounted file system is touched. */
export const clearRunFolder = task<{ readonly folder: string; readonly rootfs: string }, { readonly cleared: true }>(
  "containers.clear-run-folder",
);

/** What an upper folder changed against its lower ones, which `merged` shows together with it. */
export const listChanges = task<{ readonly upper: string; readonly lowers: readonly string[] }, readonly Change[]>(
  "containers.list-changes",
);
