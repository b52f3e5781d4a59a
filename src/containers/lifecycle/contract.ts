import type { CgroupUsage } from "#base/system/cgroup/usage.ts";
import type {
  EndpointRequest,
  NetworkLease,
  Networks,
  PortMapping,
  PublishedPort,
} from "#containers/network/contract.ts";
import type { ContainerSpec, MountSpec, ProcessSpec, Resources, TerminalSize } from "#containers/runtime/contract.ts";
import type { Platform } from "#formats/oci/contract.ts";

/**
 * Sandbox and Container. A sandbox owns what containers may share (network, ipc and uts namespaces, host name, name
 * service files, cgroup parent, ports); a container joins one. A docker container is a sandbox of one.
 *
 * Containers outlive the engine: conmon holds their streams, writes the log and the exit code. Killing the engine
 * stops nothing and loses nothing; `adopt` finds it all again.
 */

export type NetworkMode =
  | { readonly kind: "none" }
  | { readonly kind: "host" }
  /** The default network alone; only in the rows of older engines. */
  | { readonly kind: "bridge" }
  | { readonly kind: "networks"; readonly endpoints: readonly EndpointRequest[] }
  /** The namespaces of another running container. */
  | { readonly kind: "container"; readonly id: string };

/** One of its own, the host's, or that of another container, which must run when this one starts. */
export type SharedNamespace = "private" | "host" | { readonly container: string };

export interface SandboxSpec {
  readonly network: NetworkMode;
  readonly ports?: readonly PortMapping[];
  /** Default: the first 12 characters of the container's id, or the host's own in its network. */
  readonly hostname?: string;
  readonly domainname?: string;
  /** Default: what the host uses, without loopback servers. */
  readonly dns?: readonly string[];
  readonly dnsSearch?: readonly string[];
  readonly dnsOptions?: readonly string[];
  /** Where it may begin to talk to only; absent: anywhere its networks let it. */
  readonly egress?: readonly string[];
  /** Lines for /etc/hosts: "name:address". */
  readonly extraHosts?: readonly string[];
  /** "shareable" is private until another container joins it. */
  readonly ipc?: SharedNamespace | "shareable";
  readonly pid?: SharedNamespace;
  readonly uts?: "host";
  /** Default: the container sees the host's cgroup names. */
  readonly cgroup?: "private";
  /** Below each controller; default "/gantry". */
  readonly cgroupParent?: string;
}

/**
 * A mount, maybe of a part only: `subpath` is resolved below the source by the kernel, anew at each start; `shallow` is
 * without what is mounted below the source.
 */
export type ContainerMount =
  | (Extract<MountSpec, { readonly type: "bind" }> & { readonly subpath?: string; readonly shallow?: boolean })
  | Extract<MountSpec, { readonly type: "tmpfs" }>
  /** What an image holds, read-only. */
  | { readonly type: "image"; readonly image: string; readonly target: string; readonly subpath?: string };

/** What the runtime needs beyond the root file system, the namespaces and the cgroup, which are made here. */
export type ContainerConfig = Omit<
  ContainerSpec,
  "rootfs" | "namespaces" | "cgroup" | "hostname" | "domainname" | "mounts"
> & {
  readonly mounts?: readonly ContainerMount[];
  readonly openStdin?: boolean;
  /** Standard input closes when the first client that was attached leaves. */
  readonly stdinOnce?: boolean;
  /** "SIGTERM"; the image's STOPSIGNAL. */
  readonly stopSignal?: string;
  /** Seconds; default 10. */
  readonly stopTimeout?: number;
  readonly autoRemove?: boolean;
  /** Bytes of one log file before the next is begun; default 256 MiB. */
  readonly logSizeMax?: number;
  /** What it writes is kept nowhere; only who is attached hears it. */
  readonly withoutLog?: boolean;
  /** Default "no". Excludes `autoRemove`. */
  readonly restart?: RestartPolicy;
  readonly health?: HealthCheck;
  /** Files of that size to keep, the newest among them; default 1. Several are of 1 MiB at least. */
  readonly logFiles?: number;
};

export type RestartPolicy =
  | { readonly name: "no" }
  | { readonly name: "always" }
  | { readonly name: "unless-stopped" }
  /** 0: as often as it takes. */
  | { readonly name: "on-failure"; readonly maximumRetries: number };

/** Times are milliseconds; 0 and absent mean Docker's default. */
export interface HealthCheck {
  /** The program and its arguments, run inside as the container's own user. */
  readonly test: readonly string[];
  readonly interval?: number;
  readonly timeout?: number;
  readonly startPeriod?: number;
  readonly startInterval?: number;
  readonly retries?: number;
  /** What becoming unhealthy brings about; default "none". */
  readonly onFailure?: "none" | "kill" | "restart" | "stop";
}

export interface Health {
  readonly status: "starting" | "healthy" | "unhealthy";
  readonly failingStreak: number;
  /** The last five, oldest first. */
  readonly probes: readonly HealthProbe[];
}

export interface HealthProbe {
  readonly startedAt: number;
  readonly finishedAt: number;
  /** -1: it took too long or could not be started. */
  readonly exitCode: number;
  readonly output: string;
}

export interface MountChange {
  readonly mount: ContainerMount;
  readonly volumes: readonly VolumeUse[];
  readonly request: unknown;
}

/** What is not named stays. */
export interface ContainerUpdate {
  readonly resources?: Resources;
  readonly restart?: RestartPolicy;
}

export interface CreateRequest {
  /** [a-zA-Z0-9][a-zA-Z0-9_.-]*; made up when absent. */
  readonly name?: string;
  readonly sandbox: SandboxSpec;
  readonly config: ContainerConfig;
  /** Opaque to this room: what the API was asked, kept for inspect. JSON. */
  readonly request?: unknown;
  /** Handed to `RootFilesystem.prepare`. */
  readonly image: string;
  /** Words that go with every event of this container: the image's name, labels. */
  readonly eventAttributes?: Readonly<Record<string, string>>;
  /** Which of the image's platforms; absent: the host's. */
  readonly platform?: Platform;
  /** Named and anonymous volumes this container uses; those marked anonymous go with `remove(volumes)`. */
  readonly volumes?: readonly VolumeUse[];
}

/** A file of the container that is in memory alone and in no answer. */
export interface Secret {
  readonly target: string;
  readonly bytes: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface VolumeUse {
  readonly name: string;
  readonly anonymous: boolean;
}

interface Started {
  readonly pid: number;
  readonly startedAt: number;
}

/** Only what is valid in each state. Times are milliseconds since 1970. */
export type ContainerState =
  | { readonly status: "created" }
  | ({ readonly status: "running" } & Started)
  | ({ readonly status: "paused" } & Started)
  /** Ended, and to run again at `again` by its restart policy. */
  | ({ readonly status: "restarting"; readonly again: number } & ExitRecord)
  | ({ readonly status: "exited" } & ExitRecord)
  | { readonly status: "removing"; readonly last?: ExitRecord };

export interface ExitRecord {
  readonly exitCode: number;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly oomKilled: boolean;
  /** Why it never ran, or why its end is not known. */
  readonly error?: string;
  /** It was not started: whoever asked for that was told why. */
  readonly neverRan?: true;
}

export type Status = ContainerState["status"];

export interface ContainerRecord {
  readonly id: string;
  readonly name: string;
  readonly created: number;
  readonly image: string;
  readonly platform?: Platform;
  readonly sandbox: SandboxSpec;
  readonly config: ContainerConfig;
  readonly request: unknown;
  readonly eventAttributes?: Readonly<Record<string, string>>;
  readonly state: ContainerState;
  readonly volumes: readonly VolumeUse[];
  /** Where its secrets go, never what they are. */
  readonly secrets?: readonly { readonly target: string }[];
  /** Restarts by policy since somebody last started it. */
  readonly restarts?: number;
  /** The last end was asked for. */
  readonly stoppedByUser?: boolean;
  /** Of a run with a health check; kept when it ends, as Docker does. */
  readonly health?: Health;
  /** While it runs. */
  readonly network?: RunningNetwork;
}

export type RunningNetwork = NetworkLease;

export type WaitCondition = "not-running" | "next-exit" | "removed";

export interface WaitResult {
  readonly exitCode: number;
  readonly error?: string;
}

export interface AttachOptions {
  readonly stdin?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
}

/** One client's live connection to a container or an exec. */
export interface Attachment extends AsyncDisposable {
  /**
   * Pieces in the order they were written; ends when the process ended and all its output came. Reading is the
   * credit: what is not read is held up to a bound, then the process is slowed, then the client is cut off.
   */
  readonly output: AsyncIterable<OutputPiece>;
  /** Resolves when the container's side took the bytes. Rejects "unavailable" when it is gone. */
  write(bytes: Uint8Array): Promise<void>;
  /** Half close: the process sees end of input, output goes on. */
  endInput(): void;
}

export interface OutputPiece {
  /** With a terminal everything is "stdout". */
  readonly stream: "stdout" | "stderr";
  readonly bytes: Uint8Array;
}

export interface LogOptions {
  readonly follow?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  /** Lines from the end; absent: all. */
  readonly tail?: number;
  /** Milliseconds since 1970. */
  readonly since?: number;
  readonly until?: number;
  readonly signal?: AbortSignal;
}

export interface LogLine {
  readonly stream: "stdout" | "stderr";
  /** RFC 3339 with nanoseconds, as conmon wrote it. */
  readonly timestamp: string;
  /** With its newline, except for a last line that had none. */
  readonly bytes: Uint8Array;
}

export interface ExecRequest {
  readonly process: ProcessSpec;
  readonly privileged?: boolean;
  readonly openStdin?: boolean;
  /** Opaque, for inspect. */
  readonly request?: unknown;
}

export interface ExecRecord {
  readonly id: string;
  readonly container: string;
  readonly request: unknown;
  readonly process: ProcessSpec;
  readonly openStdin: boolean;
  readonly state:
    | { readonly status: "created" }
    | { readonly status: "running"; readonly pid: number }
    | { readonly status: "exited"; readonly exitCode: number };
}

export interface Execs {
  /** Sends a signal to a running exec's process. Errors: "not-found", "conflict" when it does not run. */
  signal(id: string, signal: string): Promise<void>;
  /** Those of a container that are known, newest last. */
  list(container: string): readonly ExecRecord[];
  /** Errors: "not-found", "conflict" when the container does not run or is paused. */
  create(container: string, request: ExecRequest): Promise<ExecRecord>;
  /** Starts it with a client attached from the first byte, or with none. */
  start(
    id: string,
    options: { readonly attach: boolean; readonly size?: TerminalSize },
  ): Promise<Attachment | undefined>;
  inspect(id: string): ExecRecord;
  wait(id: string): Promise<WaitResult>;
  resize(id: string, size: TerminalSize): Promise<void>;
}

/** One reading of a container's cgroup, of the machine's processors for the percentage, and of its network. */
export interface Stats extends Omit<CgroupUsage, "cpu"> {
  readonly readAt: number;
  readonly running: boolean;
  readonly cpu: CgroupUsage["cpu"] & { readonly hostNs: number; readonly online: number };
  readonly networks: Readonly<
    Record<
      string,
      {
        readonly rxBytes: number;
        readonly rxPackets: number;
        readonly rxErrors: number;
        readonly rxDropped: number;
        readonly txBytes: number;
        readonly txPackets: number;
        readonly txErrors: number;
        readonly txDropped: number;
      }
    >
  >;
}

export interface TopResult {
  readonly titles: readonly string[];
  readonly processes: readonly (readonly string[])[];
}

export interface Change {
  readonly path: string;
  readonly kind: "modified" | "added" | "deleted";
}

/** What others hear about. `attributes` are words for the API's events. */
export interface LifecycleEvent {
  readonly action:
    | "create"
    | "start"
    | "die"
    | "oom"
    | "kill"
    | "stop"
    | "pause"
    | "unpause"
    | "rename"
    | "destroy"
    | "resize"
    | "attach"
    | "exec_create"
    | "exec_start"
    | "exec_die"
    | "restart"
    | "update"
    | `health_status: ${Health["status"]}`;
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly at: number;
  readonly attributes: Readonly<Record<string, string>>;
}

/**
 * Every verb takes a full id, a unique prefix of one, or a name. Errors common to all: "not-found"; "conflict" when
 * the state forbids the verb, naming both; "invalid".
 */
export interface Containers extends AsyncDisposable {
  readonly execs: Execs;
  /** Errors: "conflict" when the name is taken, naming its owner. */
  create(request: CreateRequest): Promise<ContainerRecord>;
  /** True when it began now, false when it ran already. */
  start(id: string): Promise<boolean>;
  get(id: string): ContainerRecord;
  list(): readonly ContainerRecord[];
  wait(id: string, condition?: WaitCondition, signal?: AbortSignal): Promise<WaitResult>;
  /** The stop signal, then SIGKILL after `timeout` seconds (-1: never). False when it did not run. */
  stop(id: string, options?: { readonly signal?: string; readonly timeout?: number }): Promise<boolean>;
  restart(id: string, options?: { readonly signal?: string; readonly timeout?: number }): Promise<void>;
  kill(id: string, signal?: string): Promise<void>;
  pause(id: string): Promise<void>;
  unpause(id: string): Promise<void>;
  rename(id: string, name: string): Promise<void>;
  /** `force` kills first. Idempotent in a race: the second caller gets "not-found" or the same success. */
  remove(id: string, options?: { readonly force?: boolean; readonly volumes?: boolean }): Promise<void>;
  resize(id: string, size: TerminalSize): Promise<void>;
  /**
   * Other limits, also while it runs, and another restart policy. Errors: "invalid"; "conflict" when the kernel
   * refuses a limit the container is over already.
   */
  update(id: string, change: ContainerUpdate): Promise<void>;
  /**
   * Before a start: files that hold for every start until it is removed, and for no longer than the machine runs.
   * Replaces those given before. Error "conflict": it runs.
   */
  giveSecrets(id: string, secrets: readonly Secret[]): Promise<void>;
  /** One more network, at once when it runs. Errors: "denied" without networks of its own; as `Networks.connect`. */
  connect(id: string, request: EndpointRequest): Promise<void>;
  disconnect(id: string, network: string): Promise<void>;
  /** One more published port, or one less, at once when it runs. Gives the port as it is published. */
  publish(id: string, port: PortMapping): Promise<PublishedPort | undefined>;
  unpublish(id: string, port: PortMapping): Promise<void>;
  /**
   * One more bind or volume, at once when it runs; `request` replaces what is kept for inspect. Errors: "conflict" when
   * something is mounted there; "unsupported" for what cannot be mounted into a running container.
   */
  mount(id: string, change: MountChange): Promise<void>;
  /** Takes the mount at `target` away, at once when it runs. Error "not-found". */
  unmount(id: string, target: string, request: unknown): Promise<void>;
  /** Before a start too: then it joins when the container starts and loses no byte. */
  attach(id: string, options: AttachOptions): Promise<Attachment>;
  /** Many lines at a time, as they were written; a follower gets what is there before it waits. */
  logs(id: string, options?: LogOptions): AsyncIterable<readonly LogLine[]>;
  /** Drops what was written so far, of a running container too; nothing written after it answered is lost. */
  clearLogs(id: string): Promise<void>;
  stats(id: string): Promise<Stats>;
  /** `words` are ps(1)'s; the usual ones are `-ef`. */
  top(id: string, words?: string): Promise<TopResult>;
  changes(id: string): Promise<readonly Change[]>;
  /**
   * The path of the root file system, mounted as long as the handle is not disposed (for `cp` and export). With
   * `mounts` it is what the container sees: its volumes, bind mounts and, while it runs, its tmpfs are in it. The path
   * is good for openat2(2) below it, nothing else may follow its links.
   */
  openRoot(id: string, options?: { readonly mounts?: boolean }): Promise<{ readonly path: string } & AsyncDisposable>;
  /**
   * Writes the new name of a volume into the rows of its users, in the caller's transaction; the function it gives is
   * to be called once that is committed. `amend` rewrites the opaque request.
   */
  renameVolume(name: string, to: string, amend: (request: unknown) => unknown): () => void;
  onEvent(listener: (event: LifecycleEvent) => void): Disposable;
  /** Brings the records in line with what really runs; called once, before any other verb. */
  adopt(): Promise<AdoptReport>;
}

export interface AdoptReport {
  readonly running: number;
  readonly exited: number;
  readonly unknown: number;
  readonly removed: number;
}

/** The narrow port to the image store: a writable layer of a container's own. */
export interface RootFilesystem {
  /** Makes or finds the container's writable layer over `image`. Idempotent. */
  prepare(container: string, image: string, platform?: Platform): Promise<OverlayMount>;
  /** An image's own files, without a writable layer. Errors: "not-found". */
  readOnly(image: string, platform?: Platform): Promise<Omit<OverlayMount, "upper">>;
  /** Removes the writable layer. Idempotent. */
  remove(container: string): Promise<void>;
}

/** What to mount. `options` are relative to `cwd`, so that many layers fit the one page mount(2) takes. */
export interface OverlayMount {
  readonly cwd: string;
  readonly options: string;
  /** Absolute path of the upper folder, for `changes`. */
  readonly upper: string;
}

/** The narrow port to named volumes. */
export interface VolumePort {
  removeAnonymous(names: readonly string[]): Promise<void>;
  /** Mounts it for this container, when it is more than a folder. Errors: "not-found", "invalid" in mount(8)'s words. */
  hold(name: string, holder: string): Promise<void>;
  release(name: string, holder: string): Promise<void>;
}

export type { Networks };
