/**
 * Named volumes of the driver "local": a folder below <data>/volumes/<name>/_data that outlives containers.
 * A container that uses a volume holds it; a held volume cannot be removed.
 */
export interface VolumeRecord {
  /** [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most 255 characters; 64 hex digits when made up. */
  readonly name: string;
  /** Absolute path of the folder a container gets. */
  readonly path: string;
  readonly labels: Readonly<Record<string, string>>;
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
  /** Makes it, or gives the one of that name. Errors: "invalid" name, "conflict" other options, "unsupported" options. */
  create(request: CreateVolume): { readonly record: VolumeRecord; readonly fresh: boolean };
  get(name: string): VolumeRecord | undefined;
  list(): VolumeRecord[];
  /** Errors: "not-found"; "conflict" when `users` is not empty, naming them. */
  remove(name: string, users: readonly string[]): Promise<void>;
  /** Removes those of `names` that are anonymous; others stay. */
  removeAnonymous(names: readonly string[]): Promise<void>;
  /** Bytes in it now. Walks it in a Worker. */
  usage(name: string): Promise<number>;
  /**
   * What an image has at the mount point becomes a fresh volume's first content, owner and mode too.
   * `rootfs` is the image mounted; `target` is resolved inside it. Nothing happens when the volume has content.
   */
  fill(name: string, rootfs: string, target: string): Promise<void>;
}
