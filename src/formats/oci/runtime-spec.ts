/** The parts of the OCI runtime specification's config.json that Gantry writes or reads. Types only; JSON's own names. */

export interface RuntimeSpec {
  readonly ociVersion: string;
  readonly hostname?: string;
  readonly domainname?: string;
  readonly process?: ProcessSpec;
  readonly root?: { readonly path: string; readonly readonly?: boolean };
  readonly mounts?: readonly MountSpec[];
  readonly hooks?: HooksSpec;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly linux?: LinuxSpec;
}

/** Also the whole of what `exec --process` reads. */
export interface ProcessSpec {
  readonly terminal?: boolean;
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly cwd: string;
  readonly env?: readonly string[];
  readonly args?: readonly string[];
  readonly user: UserSpec;
  readonly capabilities?: CapabilitiesSpec;
  readonly rlimits?: readonly RlimitSpec[];
  readonly noNewPrivileges?: boolean;
  readonly apparmorProfile?: string;
  readonly selinuxLabel?: string;
  readonly oomScoreAdj?: number;
}

export interface UserSpec {
  readonly uid: number;
  readonly gid: number;
  readonly umask?: number;
  readonly additionalGids?: readonly number[];
}

/** Names with their prefix: "CAP_CHOWN". */
export interface CapabilitiesSpec {
  readonly bounding?: readonly string[];
  readonly effective?: readonly string[];
  readonly inheritable?: readonly string[];
  readonly permitted?: readonly string[];
  readonly ambient?: readonly string[];
}

export interface RlimitSpec {
  /** "RLIMIT_NOFILE". */
  readonly type: string;
  readonly soft: number;
  readonly hard: number;
}

export interface MountSpec {
  readonly destination: string;
  readonly type?: string;
  readonly source?: string;
  readonly options?: readonly string[];
  readonly uidMappings?: readonly IdMappingSpec[];
  readonly gidMappings?: readonly IdMappingSpec[];
}

export interface HookSpec {
  readonly path: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  readonly timeout?: number;
}

export interface HooksSpec {
  readonly createRuntime?: readonly HookSpec[];
  readonly createContainer?: readonly HookSpec[];
  readonly startContainer?: readonly HookSpec[];
  readonly poststart?: readonly HookSpec[];
  readonly poststop?: readonly HookSpec[];
}

export interface LinuxSpec {
  readonly namespaces?: readonly NamespaceSpec[];
  readonly uidMappings?: readonly IdMappingSpec[];
  readonly gidMappings?: readonly IdMappingSpec[];
  readonly devices?: readonly DeviceSpec[];
  readonly cgroupsPath?: string;
  readonly resources?: ResourcesSpec;
  readonly rootfsPropagation?: "private" | "shared" | "slave" | "unbindable" | "rprivate" | "rshared" | "rslave";
  readonly seccomp?: SeccompSpec;
  readonly sysctl?: Readonly<Record<string, string>>;
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  readonly mountLabel?: string;
}

export type NamespaceType = "pid" | "network" | "mount" | "ipc" | "uts" | "user" | "cgroup" | "time";

export interface NamespaceSpec {
  readonly type: NamespaceType;
  /** Join this one; without it a new one is made. */
  readonly path?: string;
}

export interface IdMappingSpec {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

export interface DeviceSpec {
  readonly type: "c" | "b" | "u" | "p";
  readonly path: string;
  readonly major?: number;
  readonly minor?: number;
  readonly fileMode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface ResourcesSpec {
  readonly devices?: readonly DeviceRuleSpec[];
  readonly memory?: MemorySpec;
  readonly cpu?: CpuSpec;
  readonly pids?: { readonly limit: number };
  readonly blockIO?: BlockIoSpec;
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limit: number }[];
  readonly unified?: Readonly<Record<string, string>>;
}

export interface DeviceRuleSpec {
  readonly allow: boolean;
  readonly type?: "a" | "c" | "b";
  readonly major?: number;
  readonly minor?: number;
  readonly access?: string;
}

/** Bytes; -1 is without limit. */
export interface MemorySpec {
  readonly limit?: number;
  readonly reservation?: number;
  /** Memory and swap together. */
  readonly swap?: number;
  readonly kernel?: number;
  readonly swappiness?: number;
  readonly disableOOMKiller?: boolean;
}

export interface CpuSpec {
  readonly shares?: number;
  /** Microseconds in each period. */
  readonly quota?: number;
  readonly period?: number;
  readonly burst?: number;
  readonly realtimeRuntime?: number;
  readonly realtimePeriod?: number;
  readonly cpus?: string;
  readonly mems?: string;
}

export interface ThrottleSpec {
  readonly major: number;
  readonly minor: number;
  readonly rate: number;
}

export interface BlockIoSpec {
  readonly weight?: number;
  readonly weightDevice?: readonly { readonly major: number; readonly minor: number; readonly weight: number }[];
  readonly throttleReadBpsDevice?: readonly ThrottleSpec[];
  readonly throttleWriteBpsDevice?: readonly ThrottleSpec[];
  readonly throttleReadIOPSDevice?: readonly ThrottleSpec[];
  readonly throttleWriteIOPSDevice?: readonly ThrottleSpec[];
}

export type SeccompAction =
  | "SCMP_ACT_ALLOW"
  | "SCMP_ACT_ERRNO"
  | "SCMP_ACT_KILL"
  | "SCMP_ACT_KILL_PROCESS"
  | "SCMP_ACT_KILL_THREAD"
  | "SCMP_ACT_TRAP"
  | "SCMP_ACT_TRACE"
  | "SCMP_ACT_LOG"
  | "SCMP_ACT_NOTIFY";

export interface SeccompSpec {
  readonly defaultAction: SeccompAction;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[];
  readonly flags?: readonly string[];
  readonly syscalls?: readonly SyscallRuleSpec[];
}

export interface SyscallRuleSpec {
  readonly names: readonly string[];
  readonly action: SeccompAction;
  readonly errnoRet?: number;
  readonly args?: readonly {
    readonly index: number;
    readonly value: number;
    readonly valueTwo?: number;
    readonly op:
      | "SCMP_CMP_NE"
      | "SCMP_CMP_LT"
      | "SCMP_CMP_LE"
      | "SCMP_CMP_EQ"
      | "SCMP_CMP_GE"
      | "SCMP_CMP_GT"
      | "SCMP_CMP_MASKED_EQ";
  }[];
}
