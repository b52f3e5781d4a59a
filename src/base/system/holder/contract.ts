/**
 * What owns the namespaces that containers, conmon and the engine live in. It survives every process of theirs.
 *
 * Root's is a mount namespace pinned to a file. It is a recursive slave of the host's: disks mounted later appear,
 * unmounted ones are released (where the host's mounts are shared, as systemd makes them). On a hybrid-cgroup host
 * the v2 part is unmounted in it, and only in it: crun then sees plain v1.
 *
 * A user's is a user, mount and network namespace kept by rootlesskit over a program that only waits. The engine
 * enters it and is never its child. /sys/fs/cgroup is covered in it, for nothing there is the user's to write.
 */
export interface Holder {
  /** Words to put before a program's own to start it inside; only once it is made. */
  readonly prefix: readonly string[];
  /** Whether the namespaces are there. */
  exists(): boolean;
  /** Makes them when missing. Safe to call from two processes at once. Errors: "unsupported" with what is missing. */
  make(): Promise<void>;
  /** Ends it. Processes inside keep the namespaces until the last has ended. Idempotent. */
  remove(): Promise<void>;
}

/** Changes when a new engine needs the namespaces laid out in another way; old containers keep the old one. */
export const holderLayout = 1;

/** Where a user's Holder of this layout has rootlesskit's files and its API's socket. */
export function userHolderFolder(run: string, layout = holderLayout): string {
  return `${run}/holder/user-${layout}`;
}
