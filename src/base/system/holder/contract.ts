/**
 * What owns the mount namespace that containers, conmon and the engine live in. It is pinned to a file, so it
 * survives every process. It is a recursive slave of the host's: disks mounted later appear, unmounted ones are
 * released (where the host's mounts are shared, as systemd makes them). On a hybrid-cgroup host the v2 part is
 * unmounted in it, and only in it: crun then sees plain v1.
 */
export interface Holder {
  /** The file that pins the namespace. */
  readonly pin: string;
  /** Words to put before a program's own to start it inside. */
  readonly prefix: readonly string[];
  /** Whether the namespace is there. */
  exists(): boolean;
  /** Makes it when missing. Safe to call from two processes at once. Errors: "unsupported" with the missing program. */
  make(): void;
  /** Unpins it. Processes inside keep it until the last has ended. Idempotent. */
  remove(): void;
}

/** Changes when a new engine needs the namespace laid out in another way; old containers keep the old one. */
export const holderLayout = 1;
