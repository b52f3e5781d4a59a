/**
 * Bundle in, exit out, over crun. No names, no images, no database: the caller mounts a root file system, says what
 * is to run in it and in which namespaces, and gets processes. Used by containers, build steps and services alike.
 *
 * What an image or a user asked for is validated here, once, before anything is made: a wrong value is "invalid" and
 * the message says what would be right. Labels, annotations and host OCI hooks never drive anything.
 */

/** A namespace: made new for this container, the host's own, or one that a file pins. */
export type NamespaceChoice =
  | { readonly kind: "new" }
  | { readonly kind: "host" }
  | { readonly kind: "path"; readonly path: string };

export interface Namespaces {
  readonly network: NamespaceChoice;
  readonly ipc?: NamespaceChoice;
  readonly uts?: NamespaceChoice;
  readonly pid?: NamespaceChoice;
  /** Default: the host's. */
  readonly cgroup?: NamespaceChoice;
}

/** A mount inside the container. `target` is absolute and resolved inside the root by the kernel. */
export type MountSpec =
  | {
      readonly type: "bind";
      /** Absolute path on the host that exists; opened by the runtime, not by the container. */
      readonly source: string;
      readonly target: string;
      readonly readonly?: boolean;
      /** Default rprivate. */
      readonly propagation?: "rprivate" | "private" | "rshared" | "shared" | "rslave" | "slave";
      /** Read-only itself, but not what is mounted below it. Default: all of it, where the kernel can. */
      readonly topReadonly?: boolean;
    }
  | {
      readonly type: "tmpfs";
      readonly target: string;
      /** Bytes. */
      readonly size?: number;
      /** Octal permission bits, default 0o1777. */
      readonly mode?: number;
      /** Further options of tmpfs(5) and mount(8) from a known list ("noexec", "uid=1000"). */
      readonly options?: readonly string[];
    };

/** Names as in setrlimit(2) without the prefix, lower case: "nofile". -1 is unlimited. */
export interface Ulimit {
  readonly name: string;
  readonly soft: number;
  readonly hard: number;
}

export interface Resources {
  /** Bytes; at least 512 KiB. */
  readonly memory?: number;
  /** Memory and swap together, bytes; -1 is unlimited swap. */
  readonly memorySwap?: number;
  readonly memoryReservation?: number;
  /** Microseconds of processor time a period. */
  readonly cpuQuota?: number;
  readonly cpuPeriod?: number;
  /** Relative weight, 2 to 262144, default 1024. */
  readonly cpuShares?: number;
  /** "0-2,4" */
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  /** Most processes and threads; -1 or 0 is unlimited. */
  readonly pids?: number;
  readonly blkioWeight?: number;
  readonly blkioWeightDevice?: readonly DeviceAmount[];
  /** Bytes and operations a second of each device. */
  readonly blkioReadBps?: readonly DeviceAmount[];
  readonly blkioWriteBps?: readonly DeviceAmount[];
  readonly blkioReadIops?: readonly DeviceAmount[];
  readonly blkioWriteIops?: readonly DeviceAmount[];
  /** 0 to 100; cgroup v1 alone. */
  readonly memorySwappiness?: number;
  /** Processes wait instead of being killed; cgroup v1 alone. */
  readonly oomKillDisable?: boolean;
}

export interface DeviceAmount {
  /** Path of a block device on this machine. */
  readonly device: string;
  readonly amount: number;
}

export interface ProcessSpec {
  /** The program and its arguments, at least one. */
  readonly args: readonly string[];
  /** "NAME=value". */
  readonly env?: readonly string[];
  /** Absolute; made when missing. Refused below /proc/self/fd and the like (CVE-2024-21626). */
  readonly cwd?: string;
  /** `USER` grammar: name or uid, optionally ":group or gid", looked up in the root's own files. Default "0". */
  readonly user?: string;
  readonly additionalGroups?: readonly string[];
  readonly terminal?: boolean;
  readonly size?: TerminalSize;
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
  readonly noNewPrivileges?: boolean;
  /** Refused above the hard limit of this machine, "invalid" naming that limit. */
  readonly ulimits?: readonly Ulimit[];
  /** -1000 to 1000. */
  readonly oomScoreAdj?: number;
}

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

export interface DeviceSpec {
  readonly source: string;
  readonly target: string;
  /** Any of r, w, m. */
  readonly access?: string;
}

/** A rule of the devices cgroup for nodes that are not given; undefined is any number. */
export interface DeviceRule {
  readonly type: "a" | "b" | "c";
  readonly major?: number;
  readonly minor?: number;
  readonly access: string;
}

/** Everything one container is to be. */
export interface ContainerSpec {
  /** Absolute path of the mounted root file system. */
  readonly rootfs: string;
  readonly readonlyRootfs?: boolean;
  readonly process: ProcessSpec;
  readonly namespaces: Namespaces;
  readonly hostname?: string;
  readonly domainname?: string;
  readonly mounts?: readonly MountSpec[];
  readonly devices?: readonly DeviceSpec[];
  readonly deviceRules?: readonly DeviceRule[];
  readonly resources?: Resources;
  /** Absolute path below each cgroup controller: "/gantry/<id>". */
  readonly cgroup: string;
  /** No cgroup limits and no cgroup of its own; for hosts that offer none. */
  readonly withoutCgroup?: boolean;
  readonly sysctls?: Readonly<Record<string, string>>;
  /** A small init as process 1 that reaps and forwards signals. */
  readonly init?: boolean;
  readonly privileged?: boolean;
  /** Default "default": Docker's allow-list. */
  readonly seccomp?: "default" | "unconfined" | Readonly<Record<string, unknown>>;
  /** Bytes of /dev/shm, default 64 MiB. */
  readonly shmSize?: number;
  /** Default: Docker's. Ignored when privileged. */
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
}

/** What ended a process: its own code, or 128 + signal. */
export interface Exit {
  readonly code: number;
}

export interface RunOptions {
  /** Unique among what runs; also the folder name of the bundle. */
  readonly id: string;
  readonly spec: ContainerSpec;
  /** An existing private folder for the bundle; the caller removes it. */
  readonly bundle: string;
  readonly stdin?: "ignore" | number;
  /** Called with each piece as it arrives; awaited before more is read. */
  readonly onOutput?: (stream: "stdout" | "stderr", bytes: Uint8Array) => void | Promise<void>;
  /** Aborted: every process of the container is killed, and `run` rejects with "cancelled". */
  readonly signal?: AbortSignal;
}

/** crun's word on one container. */
export interface RuntimeState {
  readonly status: "creating" | "created" | "running" | "paused" | "stopped";
  /** Process 1 as the host numbers it; 0 when stopped. */
  readonly pid: number;
}

export interface ExecOptions {
  /** The running container. */
  readonly id: string;
  /** Written by `writeProcess`, without a terminal. */
  readonly processFile: string;
  /** Where the process's number is written to. */
  readonly pidFile: string;
  readonly onOutput?: RunOptions["onOutput"];
  /** Aborted: the process is killed, and `exec` rejects with "cancelled". */
  readonly signal?: AbortSignal;
}

export interface Runtime {
  /**
   * Runs to the end in the foreground, without conmon or a log, and leaves nothing behind (cgroup, state, processes).
   * The bundle folder stays the caller's. Errors: "invalid" (spec), "cancelled", "not-found" (program or working
   * folder), "internal" with crun's own words.
   */
  run(options: RunOptions): Promise<Exit>;

  /** Writes `config.json` into `bundle`; old-or-new. Gives the resolved user. */
  writeBundle(bundle: string, spec: ContainerSpec): ResolvedUser;
  /** Writes a process file for exec, validated like the container's own process. */
  writeProcess(
    file: string,
    rootfs: string,
    container: Pick<ContainerSpec, "privileged" | "hostname">,
    process: ProcessSpec,
  ): void;
  /** Runs a process beside a container's own to its end, without conmon. Errors: as `run`. */
  exec(options: ExecOptions): Promise<Exit>;
  /** New limits for a running container; those not named stay. `file` is where they are written to. */
  update(id: string, file: string, resources: Resources): Promise<void>;

  /** Errors: "unsupported" for a limit that cannot be held here. `writeBundle` checks too; this is for before that. */
  checkLimits(resources: Resources): void;
  /** Whether containers have cgroups: without, there are no limits, no pause and no reading of what they use. */
  readonly cgroups: boolean;

  /** Says that a container or an exec is about to begin; what takes its time beforehand is begun now. Never waits. */
  expectStart(): void;
  /** Lets a created container's process run. Errors: "not-found" or "invalid" with the program named. */
  start(id: string): Promise<void>;
  /** `all`: every process of the container, not only the first. A container that has ended is no error. */
  kill(id: string, signal: string, all?: boolean): Promise<void>;
  pause(id: string): Promise<void>;
  resume(id: string): Promise<void>;
  state(id: string): Promise<RuntimeState | undefined>;
  /** Kills what still runs and removes state and cgroups. Idempotent. */
  delete(id: string): Promise<void>;

  /** For conmon: the runtime's program and the arguments before its verb. */
  readonly program: string;
  readonly programArguments: readonly string[];
  /** Put before a program's own words to start it where containers run; empty when this process is there already. */
  readonly prefix: readonly string[];
}

/** A user resolved inside a root file system. */
export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  readonly home: string;
}
