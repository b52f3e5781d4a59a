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
import type { Database } from "#base/system/database/contract.ts";
import type { WorkerPool } from "#base/system/pool/contract.ts";
import type { Networks } from "#containers/network/contract.ts";
import type { Resources, Runtime, Ulimit } from "#containers/runtime/contract.ts";
import type { Descriptor, Digest, ImageConfig, Platform } from "#formats/oci/contract.ts";
import type { Credentials } from "#images/distribution/contract.ts";
import type { ImageRecord, Store } from "#images/store/contract.ts";

export interface Builder extends AsyncDisposable {
  /**
   * Builds one image. Everything it mounted, started or prepared is gone when this settles, whichever way; after an
   * abort that takes less than a second.
   */
  build(request: BuildRequest, signal: AbortSignal, onEvent: (event: BuildEvent) => void): Promise<BuildResult>;
  /**
   * Forgets cached steps, all or those not used since `before` (milliseconds); gives how many. All: also what lies in
   * the folders of cache mounts that no RUN uses now.
   */
  pruneCache(before?: number): Promise<number>;
  /** An image's files, mounted read-only until the handle is let go. Errors: "not-found" for that platform. */
  openFiles(image: ImageRecord, platform: Platform | undefined, signal: AbortSignal): Promise<ImageFiles>;
  /** What is cached, the latest used last. */
  cached(): readonly CachedStep[];
}

export interface CachedStep {
  readonly key: Digest;
  /** Bytes of its layer's blob; 0 for a step that made none. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly used: number;
}

export interface ImageFiles extends AsyncDisposable {
  readonly folder: string;
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
  /** Missing = this machine's. */
  readonly platform?: Platform;
  /** Normalised references the result is given, in the same step that makes it an image. */
  readonly names?: readonly string[];
  readonly noCache: boolean;
  /** Ask the registry again even when the base is here. */
  readonly pull: boolean;
  /** What the user has for the registry of a base; asked only when one must be pulled. */
  readonly credentials?: CredentialSource;
  /** What `RUN --mount=type=secret` may ask for; its values are in no layer, no key and no event. */
  readonly secrets?: SecretSource;
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

/** Of a registry, by its name as references write it ("docker.io"). */
export type CredentialSource = (domain: string) => Promise<Credentials | undefined>;

/** The value of a secret by its id. */
export type SecretSource = (id: string) => Promise<Uint8Array | undefined>;

/** Of each RUN. */
export interface BuildLimits extends Resources {
  /** Bytes of /dev/shm; default 64 MiB. */
  readonly shmSize?: number;
  readonly ulimits?: readonly Ulimit[];
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
  readonly record: ImageRecord;
  readonly config: ImageConfig;
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
  readonly command: readonly string[];
  readonly exitCode: number;
  /** The last lines it wrote. */
  readonly lastLines: readonly string[];
}

// --- ports -----------------------------------------------------------------------------------------------------

export interface BuilderPorts {
  readonly store: Store;
  readonly runtime: Runtime;
  readonly networks: Pick<Networks, "lease" | "release">;
  readonly kernel: WorkerPool;
  readonly bulk: WorkerPool;
  readonly bases: Bases;
  readonly downloads: Downloads;
  /** build.db: what it loses is built again, never wrong. */
  readonly database: Database;
  /** A private folder below the run folder: mount points, bundles. Emptied at start. */
  readonly scratch: string;
  /** A folder of the data root, for what `RUN --mount=type=cache` keeps from build to build. */
  readonly cacheMounts: string;
  /** Where the machine's own apt sources, resolv.conf and hosts are read: "/" outside tests. */
  readonly machineRoot: string;
  /** "/gantry/build": the cgroup below which each step gets its own. */
  readonly cgroupParent: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly faults: Faults;
}

export interface Bases {
  /** Finds the image FROM names here, or pulls it with all its content. Errors: "not-found", "unavailable". */
  find(
    reference: string,
    options: {
      readonly platform: Platform;
      readonly pull: boolean;
      readonly credentials?: CredentialSource;
      readonly signal: AbortSignal;
      readonly onProgress: (what: string, done: number, total?: number) => void;
    },
  ): Promise<ImageRecord>;
}

export interface Downloads {
  /** Errors: a GantryError for anything but 200; the URL in it without user-info and query. */
  get(url: string, signal: AbortSignal): Promise<Download>;
}

export interface Download {
  readonly body: AsyncIterable<Uint8Array>;
  /** The last piece of the path after redirects, or what Content-Disposition says. */
  readonly fileName: string;
}
