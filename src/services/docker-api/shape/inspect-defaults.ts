import { type ContainerConfig, defaultShmSize, type HostConfig } from "#formats/docker/container.ts";

/** What Docker shows of settings nobody asked for: clients read them without looking whether they are there. */
const hostDefaults = {
  Binds: null,
  ContainerIDFile: "",
  PortBindings: {},
  AutoRemove: false,
  VolumeDriver: "",
  VolumesFrom: null,
  ConsoleSize: [0, 0],
  CapAdd: null,
  CapDrop: null,
  CgroupnsMode: "host",
  Dns: [],
  DnsOptions: [],
  DnsSearch: [],
  ExtraHosts: null,
  GroupAdd: null,
  IpcMode: "private",
  Cgroup: "",
  Links: null,
  OomScoreAdj: 0,
  PidMode: "",
  Privileged: false,
  PublishAllPorts: false,
  ReadonlyRootfs: false,
  SecurityOpt: null,
  UTSMode: "",
  UsernsMode: "",
  ShmSize: defaultShmSize,
  Runtime: "crun",
  Isolation: "",
  CpuShares: 0,
  Memory: 0,
  NanoCpus: 0,
  CgroupParent: "",
  BlkioWeight: 0,
  BlkioWeightDevice: null,
  BlkioDeviceReadBps: null,
  BlkioDeviceWriteBps: null,
  BlkioDeviceReadIOps: null,
  BlkioDeviceWriteIOps: null,
  CpuPeriod: 0,
  CpuQuota: 0,
  CpuRealtimePeriod: 0,
  CpuRealtimeRuntime: 0,
  CpusetCpus: "",
  CpusetMems: "",
  Devices: null,
  DeviceCgroupRules: null,
  DeviceRequests: null,
  MemoryReservation: 0,
  MemorySwap: 0,
  MemorySwappiness: null,
  OomKillDisable: null,
  PidsLimit: null,
  Ulimits: null,
  CpuCount: 0,
  CpuPercent: 0,
  IOMaximumIOps: 0,
  IOMaximumBandwidth: 0,
} as const;

export function wholeHostConfig(
  host: HostConfig,
  masks: Pick<HostConfig, "MaskedPaths" | "ReadonlyPaths">,
): HostConfig {
  const given = Object.fromEntries(Object.entries(host).filter(([, value]) => value !== "" && value !== undefined));
  return { ...hostDefaults, ...masks, ...given };
}

const configDefaults = {
  Domainname: "",
  User: "",
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Env: null,
  Cmd: null,
  Volumes: null,
  WorkingDir: "",
  Entrypoint: null,
  OnBuild: null,
  Labels: {},
} as const;

export function wholeConfig(config: ContainerConfig): ContainerConfig {
  const { ExposedPorts, Volumes, ...rest } = config;
  const filled = (table: object | null | undefined) => Object.keys(table ?? {}).length > 0;
  return {
    ...configDefaults,
    ...rest,
    ...(filled(ExposedPorts) ? { ExposedPorts: ExposedPorts! } : {}),
    ...(filled(Volumes) ? { Volumes: Volumes! } : {}),
  };
}
