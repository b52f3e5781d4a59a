/**
 * The builder: a Dockerfile and a folder in, an image out, and the same inputs give the same digest.
 *
 * `openBuilder(ports)` of `builder.ts` gives a {@link Builder}. The builder knows neither sockets nor users: the engine
 * hands it a folder (the unpacked context) and stores the result under the names the user wanted.
 *
 * Errors: `invalid` with the file, line and column for a Dockerfile that cannot be built; `unsupported` by name for
 * what is not executed yet; `not-found` for a file or an image that is not there; `cancelled` when the signal fired;
 * a failed RUN is `invalid` with details {@link StepFailure}.
 */
import type { Clock } from "#base/core/clock.ts";
import type { Faults } from "#base/core/faults.ts";
import type { Random } from "#base/core/random.ts";

export interface Builder extends AsyncDisposable {
  /**
   * Builds one image. Everything it mounted, started or prepared is gone when this settles, whichever way; after an
   * abort that takes less than a second.
   */
  build(request: BuildRequest, signal: AbortSignal, onEvent: (event: BuildEvent) => void): Promise<BuildResult>;
  /** Forgets cached steps, all or those not used since `before` (milliseconds); gives how many. */
  pruneCache(before?: number): number;
}

export interface BuildRequest {
  /** A local folder that holds the context, as unpacked by the engine. It is read, never written. */
  readonly context: string;
  readonly dockerfile: { readonly name: string; readonly bytes: Uint8Array };
  /** Bytes of the ignore file, when it is not the context's own `.dockerignore` ("-f x" with x.dockerignore). */
  readonly ignore?: Uint8Array;
  /** Stage name or number; missing = the last stage. */
  readonly target?: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** "linux/amd64"; missing = this machine's. */
  readonly platform?: string;
  readonly noCache: boolean;
  /** Ask the registry again even when the base is here. */
  readonly pull: boolean;
  /** Seconds since 1970; missing = `created` of the base. See builder.md, Times. */
  readonly sourceDateEpoch?: number;
  readonly network: "default" | "none" | "host";
  /** Lines for /etc/hosts in RUN: "name:address". */
  readonly addHosts: readonly string[];
  readonly limits: BuildLimits;
  /** Leave logs and caches in the layers. */
  readonly keepVolatile: boolean;
  /** Keep the context's own permission bits, not only x. */
  readonly keepMode: boolean;
  /** Give RUN no TZ, LANG, PYTHONHASHSEED. */
  readonly noFixedEnv: boolean;
}

export interface BuildLimits {
  /** Bytes. */
  readonly memory?: number;
  readonly memorySwap?: number;
  readonly cpuShares?: number;
  readonly cpuQuota?: number;
  readonly cpuPeriod?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  /** Bytes of /dev/shm; default 64 MiB. */
  readonly shmSize?: number;
  readonly ulimits?: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
}

/** What a user sees while it builds. Steps are numbered from 1 over all stages that are built. */
export type BuildEvent =
  | { readonly type: "plan"; readonly steps: number }
  | {
      readonly type: "step";
      readonly step: number;
      readonly of: number;
      readonly stage: string;
      /** The instruction as written, on one line. */
      readonly text: string;
      readonly line: number;
    }
  | { readonly type: "cached"; readonly step: number }
  | { readonly type: "log"; readonly step: number; readonly stream: "stdout" | "stderr"; readonly bytes: Uint8Array }
  | { readonly type: "done"; readonly step: number; readonly milliseconds: number; readonly layer?: Descriptor }
  | {
      readonly type: "progress";
      readonly step: number;
      readonly what: string;
      readonly done: number;
      readonly total?: number;
    }
  /** A file the normaliser removed or rewrote, once a rule and step. */
  | { readonly type: "normalised"; readonly step: number; readonly rule: string; readonly paths: readonly string[] }
  | { readonly type: "warning"; readonly text: string; readonly line?: number };

export interface BuildResult {
  /** The manifest: its digest is the image's identity. The blob is in the store. */
  readonly manifest: Descriptor;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly cachedSteps: number;
  readonly steps: number;
  /** Things outside the inputs this build took: RUN steps that had a network. */
  readonly warnings: readonly string[];
}

/** Details of a RUN that failed. */
export interface StepFailure {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly excerpt: string;
  readonly step: string;
  readonly exitCode: number;
  /** The last lines it wrote. */
  readonly lastLines: readonly string[];
}

/** An OCI descriptor (image-spec descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

// --- ports -----------------------------------------------------------------------------------------------------

export interface BuilderPorts {
  readonly images: BaseImages;
  readonly layers: LayerStore;
  readonly containers: StepRuntime;
  readonly networks: StepNetworks;
  readonly downloads: Downloads;
  /** build.db; a folder of its own for scratch mounts below the run folder. */
  readonly database: string;
  readonly scratch: string;
  /** Where the machine's own apt sources, resolv.conf and CA are read: "/" outside tests. */
  readonly machineRoot: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly faults: Faults;
}

/** An image to start from: its layers are unpacked and held until `release`. */
export interface BaseImage extends AsyncDisposable {
  readonly reference: string;
  readonly manifestDigest: string;
  /** OCI image config as parsed JSON. */
  readonly config: ImageConfigJson;
  readonly layers: readonly BuiltLayer[];
}

export interface BuiltLayer {
  readonly descriptor: Descriptor;
  readonly diffId: string;
}

/** OCI image config (image-spec config.md), with Docker's extra fields. */
export interface ImageConfigJson {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly created?: string;
  readonly author?: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly rootfs: { readonly type: "layers"; readonly diff_ids: readonly string[] };
  readonly history?: readonly HistoryJson[];
}

export interface HistoryJson {
  readonly created?: string;
  readonly created_by?: string;
  readonly comment?: string;
  readonly author?: string;
  readonly empty_layer?: boolean;
}

export interface BaseImages {
  /** Finds the image here, or pulls it. `not-found` when nobody has it. */
  open(
    reference: string,
    options: { readonly platform: string; readonly pull: boolean },
    signal: AbortSignal,
    onProgress: (what: string, done: number, total?: number) => void,
  ): Promise<BaseImage>;
}

/** A read-write layer over a chain. */
export interface StepSnapshot {
  readonly id: string;
  readonly upper: string;
  readonly work: string;
  /** Folders, topmost first. */
  readonly lowers: readonly string[];
}

export interface LayerStore {
  /** Names what a build may not lose while it runs; everything made under it is garbage once released. */
  lease(): Promise<BuildLease>;
  prepare(key: string, parentChainId: string | undefined): Promise<StepSnapshot>;
  discard(snapshot: StepSnapshot): Promise<void>;
  /** Writes the upper as a layer blob and makes the upper that layer, without copying. */
  commit(
    snapshot: StepSnapshot,
    parentChainId: string | undefined,
    lease: BuildLease,
    signal: AbortSignal,
  ): Promise<BuiltLayer>;
  /** Whether layer and blob are still here, and holds them. */
  hold(layer: BuiltLayer, chainId: string, lease: BuildLease): Promise<boolean>;
  putJson(mediaType: string, bytes: Uint8Array, lease: BuildLease): Promise<Descriptor>;
  mount(snapshot: StepSnapshot, target: string, extraLower?: string): Promise<void>;
  unmount(target: string): Promise<void>;
}

export interface BuildLease extends AsyncDisposable {
  readonly id: string;
}

export interface StepRuntime {
  /**
   * Runs one process to its end in `rootfs`; gives its exit code. Aborting kills the whole cgroup and settles within
   * a second.
   */
  run(
    step: StepProcess,
    signal: AbortSignal,
    onOutput: (stream: "stdout" | "stderr", bytes: Uint8Array) => void,
  ): Promise<number>;
}

export interface StepProcess {
  readonly id: string;
  readonly rootfs: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  /** As in USER: name or id, with an optional group; resolved in the rootfs. */
  readonly user: string;
  readonly hostname: string;
  readonly mounts: readonly StepMount[];
  /** The file of the network namespace; missing with `hostNetwork` = the engine's. */
  readonly networkNamespace?: string;
  readonly hostNetwork: boolean;
  readonly limits: BuildLimits;
}

export interface StepMount {
  readonly type: "bind" | "tmpfs";
  readonly source: string;
  readonly target: string;
  readonly readonly: boolean;
  readonly options?: readonly string[];
}

export interface StepNetworks {
  open(mode: "default" | "none" | "host", signal: AbortSignal): Promise<StepNetwork>;
}

export interface StepNetwork extends AsyncDisposable {
  readonly namespace?: string;
  readonly host: boolean;
  /** Lines of resolv.conf and hosts. */
  readonly resolvConf: string;
  readonly hosts: string;
}

export interface Downloads {
  /** Streams the body of a URL; throws a GantryError for anything but 200. */
  get(url: string, signal: AbortSignal): Promise<Download>;
}

export interface Download {
  readonly body: AsyncIterable<Uint8Array>;
  readonly size?: number;
  /** Milliseconds, from Last-Modified. */
  readonly modified?: number;
  /** The last piece of the final path, or of content-disposition. */
  readonly fileName: string;
}
