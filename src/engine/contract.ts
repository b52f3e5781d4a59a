/**
 * The engine whole, as the services see it: the rooms' own interfaces side by side, and what only the whole can do
 * (build into a name, pull, prune, remember events). One process opens one data root.
 */
import type { WorkerPool } from "#base/system/pool/contract.ts";
import type { BuildEvent, Builder, BuildRequest } from "#build/contract.ts";
import type { Containers, LifecycleEvent } from "#containers/lifecycle/contract.ts";
import type { ForeignDrop, Networks } from "#containers/network/contract.ts";
import type { CreateVolume, VolumeRecord, Volumes } from "#containers/volume/contract.ts";
import type { AuthConfig } from "#formats/docker/image.ts";
import type { ContainerConfig, Descriptor, Platform } from "#formats/oci/contract.ts";
import type { Archive } from "#images/archive/contract.ts";
import type { ImageRecord, Store } from "#images/store/contract.ts";
import type { Settings } from "./settings.ts";

export interface Engine extends AsyncDisposable {
  readonly facts: EngineFacts;
  readonly store: Store;
  readonly archive: Archive;
  readonly containers: Containers;
  readonly volumes: Volumes;
  readonly volumeWork: VolumeWork;
  readonly networks: Networks;
  readonly builder: Builder;
  readonly events: EventLog;
  readonly settings: Settings;
  readonly images: ImageWork;
  readonly registries: RegistryListeners;
  readonly sizes: Sizes;
  /** For services that walk whole trees (copies in and out). */
  readonly bulk: WorkerPool;
  /** A private folder for what passes through; emptied at start. */
  readonly scratch: string;
  /** Before work that needs disk: error "exhausted" when the data root is below its low-space watermark. */
  requireSpace(doing: string): void;
  /** Rules of other programs on this host that would swallow containers' packets. */
  foreignDrops(): Promise<readonly ForeignDrop[]>;
  /** How late the event loop's timers come, told each second for the whole until then. Costs nothing when not asked. */
  loopLag(seconds: number, signal: AbortSignal): AsyncIterable<LoopLag>;
  /** Removes bridge, table and namespaces; containers must have ended. */
  dismantle(): Promise<void>;
}

export interface EngineFacts {
  readonly version: string;
  readonly commit: string;
  readonly id: string;
  readonly pid: number;
  readonly dataRoot: string;
  readonly runRoot: string;
  readonly socket: string;
  /** Run by an ordinary user, in a user namespace. */
  readonly rootless: boolean;
  /** Whether containers have cgroups, hence limits. */
  readonly cgroups: boolean;
  readonly startedAt: number;
}

export interface LoopLag {
  /** Measured so far. */
  readonly seconds: number;
  /** Milliseconds. */
  readonly maximum: number;
  readonly mean: number;
}

export interface EnginePaths {
  /** /var/lib/gantry: images, names, volumes, logs. */
  readonly dataRoot: string;
  /** /run/gantry: sockets, pinned namespaces, bundles. Gone after a reboot. */
  readonly runRoot: string;
}

/** What happened, as the API's events say it. Kept on disk; the oldest go when there are more than the bound. */
export interface EngineEvent {
  readonly type: "container" | "image" | "network" | "volume" | "builder" | "daemon";
  readonly action: string;
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Nanoseconds since 1970. */
  readonly timeNano: bigint;
}

export interface EventLog {
  publish(event: Omit<EngineEvent, "timeNano">): void;
  /** Events from `since` on (milliseconds), then new ones until `until` or the signal. */
  read(options: { since?: number; until?: number; signal: AbortSignal }): AsyncIterable<EngineEvent>;
  /** How many wait for new ones now. */
  listeners(): number;
}

export interface TransferProgress {
  /** "Pulling fs layer", "Downloading", "Extracting", "Pull complete", "Pushed": Docker's words. */
  readonly status: string;
  /** Short id of the layer it is about. */
  readonly id?: string;
  readonly current?: number;
  readonly total?: number;
}

/** A build context on disk; disposing it removes it. */
export interface ReceivedContext extends AsyncDisposable {
  readonly folder: string;
  readonly dockerfile: { readonly name: string; readonly bytes: Uint8Array };
  /** The `<Dockerfile>.dockerignore` beside it, when there is one. */
  readonly ignore?: Uint8Array;
}

export interface CommitRequest {
  readonly container: string;
  /** The image's config before the changes. */
  readonly config: ContainerConfig;
  /** Dockerfile lines, as `import --change` takes them. */
  readonly changes: readonly string[];
  readonly author?: string;
  readonly comment?: string;
  /** Freeze it meanwhile. */
  readonly pause: boolean;
  /** Canonical. */
  readonly name?: string;
}

/** Long work on images. Each takes a signal and tells its progress. */
export interface ImageWork {
  /**
   * Errors: "not-found", "unauthenticated", "denied", "unavailable", "corrupt".
   */
  pull(
    reference: string,
    options: {
      readonly platform?: Platform;
      readonly auth?: AuthConfig;
      readonly signal: AbortSignal;
      readonly onProgress: (progress: TransferProgress) => void;
    },
  ): Promise<{ readonly record: ImageRecord; readonly updated: boolean }>;
  push(
    reference: string,
    options: {
      readonly auth?: AuthConfig;
      readonly signal: AbortSignal;
      readonly onProgress: (progress: TransferProgress) => void;
    },
  ): Promise<Descriptor>;
  /**
   * Unpacks a build context (a tar, maybe compressed) into a folder of its own and finds the Dockerfile in it.
   * Errors: "not-found" no such Dockerfile; "invalid" paths that leave the context; "corrupt".
   */
  receiveContext(body: AsyncIterable<Uint8Array>, dockerfile: string, signal: AbortSignal): Promise<ReceivedContext>;
  /** Builds and names the result. */
  build(
    request: BuildRequest,
    tags: readonly string[],
    signal: AbortSignal,
    onEvent: (event: BuildEvent) => void,
  ): Promise<ImageRecord>;
  /** What a registry has under a name, without pulling it. Errors: as `pull`. */
  lookUp(
    reference: string,
    options: { readonly auth?: AuthConfig; readonly signal: AbortSignal },
  ): Promise<{ readonly descriptor: Descriptor; readonly platforms: readonly Platform[] }>;
  /** What a container changed as an image. Errors: "not-found", "conflict". */
  commit(request: CommitRequest): Promise<ImageRecord>;
  /** Checks credentials at a registry. Errors: "unauthenticated". */
  login(auth: AuthConfig, signal: AbortSignal): Promise<{ readonly status: string }>;
  /** Untags or removes as `docker rmi` does; collects what nothing needs any more. */
  remove(name: string, force: boolean): Promise<readonly { untagged?: string; deleted?: string }[]>;
  /** Removes dangling images, or all that no container uses; of these only what `wanted` names. */
  prune(
    all: boolean,
    wanted?: (image: ImageRecord) => boolean,
  ): Promise<{ readonly removed: readonly { untagged?: string; deleted?: string }[]; readonly bytes: number }>;
}

/** Bytes on disk, at most some seconds old. Walked in Workers. */
export interface Sizes {
  volume(name: string): Promise<number>;
  /** What it wrote itself, and with its image's layers. */
  container(id: string): Promise<{ readonly own: number; readonly whole: number }>;
}

export interface CopyVolume {
  /** Freeze the containers that run with it instead of refusing. */
  readonly pause: boolean;
  readonly signal: AbortSignal;
}

/** Work on whole volumes. Errors: "not-found"; "conflict" a container that uses it runs, or the new name is taken. */
export interface VolumeWork {
  /** A volume of the same content, by shared blocks where the file system can; a name is made up when left out. */
  clone(name: string, to: string | undefined, options: CopyVolume): Promise<VolumeRecord>;
  /** A clone that says of what it is and when; named `<volume>-<time>` when left out. */
  snapshot(name: string, as: string | undefined, options: CopyVolume): Promise<VolumeRecord>;
  /** Writes its content as a tar into `file`. */
  pack(name: string, file: string, options: CopyVolume): Promise<void>;
  /** A volume with what is in a tar. Errors: "corrupt" it is none. */
  unpack(request: CreateVolume, file: string, signal: AbortSignal): Promise<VolumeRecord>;
  /** Its containers know it by the new name, also while they run; `amend` rewrites what was kept for inspect. */
  rename(name: string, to: string, amend: (request: unknown) => unknown): VolumeRecord;
}

/** Registry listeners inside the engine (`gantry registry serve`). They outlive its process, until stopped. */
export interface RegistryListeners {
  /** Errors: "conflict" the address is taken; "invalid"; "unsupported" beyond loopback. */
  serve(options: { readonly address: string }): Promise<{ readonly address: string }>;
  /** Tries again what should be served and is not; what fails is logged and stays in the list. */
  resume(): Promise<void>;
  list(): readonly { readonly address: string; readonly failure?: string }[];
  stop(address: string): Promise<void>;
}

export type { LifecycleEvent };
