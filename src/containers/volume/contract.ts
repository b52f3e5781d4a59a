/**
 * Named volumes of the driver "local": a folder below <data>/volumes that outlives containers, or what its options
 * name, mounted on that folder while somebody uses it. A container that uses a volume holds it; a held volume cannot be
 * removed.
 */
export interface VolumeRecord {
  /** [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most 255 characters; 64 hex digits when made up. */
  readonly name: string;
  /** Absolute path of the folder a container gets. It stays when the volume is renamed. */
  readonly path: string;
  readonly labels: Readonly<Record<string, string>>;
  /** As Docker's local driver: type, device and o are those of mount(8). */
  readonly options: Readonly<Record<string, string>>;
  /** Made up for one container; goes with it when asked. */
  readonly anonymous: boolean;
  /** Milliseconds since 1970. */
  readonly created: number;
}

export interface CreateVolume {
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, string>>;
  readonly anonymous?: boolean;
}

export interface Volumes {
  /** Makes it, or gives the one of that name. Errors: "invalid" name or options, "conflict" other options. */
  create(request: CreateVolume): { readonly record: VolumeRecord; readonly fresh: boolean };
  /** One that has its content when it gets its name. Errors: as `create`; "conflict" the name is taken. */
  createWith(request: CreateVolume, write: (path: string) => Promise<void>): Promise<VolumeRecord>;
  get(name: string): VolumeRecord | undefined;
  /** Errors: "not-found". */
  require(name: string): VolumeRecord;
  list(): VolumeRecord[];
  /** Errors: "not-found"; "conflict" when `users` is not empty, naming them. */
  remove(name: string, users: readonly string[]): Promise<void>;
  /** Removes those of `names` that are anonymous; others stay. */
  removeAnonymous(names: readonly string[]): Promise<void>;
  /** A row alone: folder and mounts stay. Call it in the transaction that renames it for its users. "conflict". */
  rename(name: string, to: string): VolumeRecord;
  /** Bytes in it now; 0 for what is somebody else's (a share). Walks it in a Worker. */
  usage(name: string): Promise<number>;
  /**
   * What an image has at the mount point becomes a fresh volume's first content, owner and mode too.
   * `rootfs` is the image mounted; `target` is resolved inside it. Nothing happens when the volume has content.
   */
  fill(name: string, rootfs: string, target: string): Promise<void>;
  /** For one holder more; mounts what the options name. Errors: "not-found", "invalid" in mount(8)'s words. */
  hold(name: string, holder: string): Promise<void>;
  /** Unmounts it with the last holder. Missing is no error. */
  release(name: string, holder: string): Promise<void>;
  /**
   * While `work` runs on its folder nobody but the `frozen` holders holds it, and nobody can begin to. Errors:
   * "not-found", "conflict" naming the holders, those of mounting.
   */
  steady<T>(name: string, frozen: ReadonlySet<string>, work: (path: string) => Promise<T>): Promise<T>;
}

/** mount(8) and umount(8), for tests without rights a port. */
export interface VolumeMounter {
  mount(mount: { type: string; source: string; target: string; options: string }): Promise<void>;
  unmount(target: string): Promise<void>;
  isMounted(target: string): boolean;
  /** The address of a host name, for file systems that cannot look it up. */
  address(name: string): Promise<string>;
}
