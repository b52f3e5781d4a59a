import type { ContainerRecord, ExitRecord, Health } from "#containers/lifecycle/contract.ts";
import type { Networks, PublishedPort } from "#containers/network/contract.ts";
import { defaultMaskedPaths, defaultReadonlyPaths } from "#containers/runtime/paths.ts";
import type {
  ContainerInspect,
  ContainerPort,
  ContainerStatus,
  ContainerSummary,
  HealthState,
  HostConfig,
  PortBinding,
} from "#formats/docker/container.ts";
import { span } from "#formats/docker/span.ts";
import type { StoredRequest } from "../create/create-request.ts";
import { commandLine } from "../create/image-defaults.ts";
import { endpointTable, networkModeOf } from "./endpoints.ts";
import { wholeConfig, wholeHostConfig } from "./inspect-defaults.ts";
import { timestamp, zeroTime } from "./time.ts";

export function storedRequest(record: Pick<ContainerRecord, "request">): StoredRequest {
  return record.request as StoredRequest;
}

/** "Up 2 minutes", "Exited (0) 3 seconds ago": the words of `docker ps`. */
export function statusLine(record: ContainerRecord, now: number): string {
  const state = record.state;
  switch (state.status) {
    case "created":
      return "Created";
    case "running": {
      const health = record.health?.status;
      const words = health === undefined ? "" : ` (${health === "starting" ? "health: starting" : health})`;
      return `Up ${span(now - state.startedAt)}${words}`;
    }
    case "paused":
      return `Up ${span(now - state.startedAt)} (Paused)`;
    case "restarting":
      return `Restarting (${state.exitCode}) ${span(now - state.finishedAt)} ago`;
    case "exited":
      return `Exited (${state.exitCode}) ${span(now - state.finishedAt)} ago`;
    case "removing":
      return "Removal In Progress";
  }
}

function listedPorts(record: ContainerRecord): ContainerPort[] {
  const published = (record.network?.ports ?? []).map((port) => ({
    IP: port.hostAddress,
    PrivatePort: port.containerPort,
    PublicPort: port.hostPort,
    Type: port.protocol,
  }));
  const exposed = Object.keys(storedRequest(record).config.ExposedPorts ?? {}).flatMap((key) => {
    const [port, protocol = "tcp"] = key.split("/");
    const known = published.some((item) => item.PrivatePort === Number(port) && item.Type === protocol);
    return known ? [] : [{ PrivatePort: Number(port), Type: protocol as ContainerPort["Type"] }];
  });
  return [...published, ...exposed];
}

export function summary(
  networks: Networks,
  record: ContainerRecord,
  now: number,
  size?: { rw: number; root: number },
): ContainerSummary {
  const stored = storedRequest(record);
  return {
    Id: record.id,
    Names: [`/${record.name}`],
    Image: stored.image,
    ImageID: record.image,
    Command: commandLine(stored.config).join(" "),
    Created: Math.floor(record.created / 1000),
    Ports: listedPorts(record),
    ...(size === undefined ? {} : { SizeRw: size.rw, SizeRootFs: size.root }),
    Labels: stored.config.Labels ?? {},
    State: record.state.status satisfies ContainerStatus,
    Status: statusLine(record, now),
    HostConfig: { NetworkMode: networkModeOf(record) },
    NetworkSettings: { Networks: endpointTable(networks, record) },
    Mounts: stored.mounts,
  };
}

function portTable(
  ports: readonly PublishedPort[],
  exposed: readonly string[],
): Record<string, Required<PortBinding>[] | null> {
  const table: Record<string, Required<PortBinding>[] | null> = {};
  for (const key of exposed) table[key.includes("/") ? key : `${key}/tcp`] = null;
  for (const port of ports) {
    const key = `${port.containerPort}/${port.protocol}`;
    table[key] = [...(table[key] ?? []), { HostIp: port.hostAddress, HostPort: `${port.hostPort}` }];
  }
  return table;
}

function lastExit(state: ContainerRecord["state"]): ExitRecord | undefined {
  if (state.status === "exited" || state.status === "restarting") return state;
  return state.status === "removing" ? state.last : undefined;
}

function healthState({ status, failingStreak, probes }: Health): HealthState {
  return {
    Status: status,
    FailingStreak: failingStreak,
    Log: probes.map((probe) => ({
      Start: timestamp(probe.startedAt),
      End: timestamp(probe.finishedAt),
      ExitCode: probe.exitCode,
      Output: probe.output,
    })),
  };
}

/** As they are now; an update may have changed what was asked at first. */
function limits({ config: { resources = {} } }: ContainerRecord): Partial<HostConfig> {
  const { memory, memorySwap, memoryReservation, cpuShares, cpusetCpus, cpusetMems, pids } = resources;
  return {
    ...(memory === undefined ? {} : { Memory: memory }),
    ...(memorySwap === undefined ? {} : { MemorySwap: memorySwap }),
    ...(memoryReservation === undefined ? {} : { MemoryReservation: memoryReservation }),
    ...(cpuShares === undefined ? {} : { CpuShares: cpuShares }),
    ...(cpusetCpus === undefined ? {} : { CpusetCpus: cpusetCpus }),
    ...(cpusetMems === undefined ? {} : { CpusetMems: cpusetMems }),
    ...(pids === undefined ? {} : { PidsLimit: pids }),
  };
}

function restartPolicy({ config: { restart } }: ContainerRecord): { Name: string; MaximumRetryCount: number } {
  return {
    Name: restart?.name ?? "no",
    MaximumRetryCount: restart?.name === "on-failure" ? restart.maximumRetries : 0,
  };
}

export interface InspectPlaces {
  readonly runFolder: string;
  readonly logPath: string;
  readonly upper?: string;
}

export function inspect(
  networks: Networks,
  record: ContainerRecord,
  places: InspectPlaces,
  execs: readonly string[],
  size?: { rw: number; root: number },
): ContainerInspect {
  const stored = storedRequest(record);
  const command = commandLine(stored.config);
  const state = record.state;
  const runs = state.status === "running" || state.status === "paused";
  const last = lastExit(state);
  const table = endpointTable(networks, record);
  const own = Object.values(table)[0];
  return {
    Id: record.id,
    Created: timestamp(record.created),
    Path: command[0] ?? "",
    Args: command.slice(1),
    State: {
      Status: state.status,
      Running: runs || state.status === "restarting",
      Paused: state.status === "paused",
      Restarting: state.status === "restarting",
      OOMKilled: last?.oomKilled ?? false,
      Dead: false,
      Pid: runs ? state.pid : 0,
      ExitCode: last?.exitCode ?? 0,
      Error: last?.error ?? "",
      StartedAt: runs ? timestamp(state.startedAt) : last === undefined ? zeroTime : timestamp(last.startedAt),
      FinishedAt: last === undefined ? zeroTime : timestamp(last.finishedAt),
      ...(record.health === undefined ? {} : { Health: healthState(record.health) }),
    },
    Image: record.image,
    ResolvConfPath: `${places.runFolder}/resolv.conf`,
    HostnamePath: `${places.runFolder}/hostname`,
    HostsPath: `${places.runFolder}/hosts`,
    LogPath: places.logPath,
    Name: `/${record.name}`,
    RestartCount: record.restarts ?? 0,
    Driver: "overlay2",
    Platform: "linux",
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: "",
    ExecIDs: execs.length === 0 ? null : execs,
    HostConfig: {
      ...wholeHostConfig(stored.host, {
        MaskedPaths: defaultMaskedPaths,
        ReadonlyPaths: defaultReadonlyPaths,
      }),
      NetworkMode: stored.host.NetworkMode || "bridge",
      LogConfig: { Type: stored.host.LogConfig?.Type || "json-file", Config: stored.host.LogConfig?.Config ?? {} },
      RestartPolicy: restartPolicy(record),
      ...limits(record),
    },
    GraphDriver: { Name: "overlay2", Data: places.upper === undefined ? null : { UpperDir: places.upper } },
    ...(size === undefined ? {} : { SizeRw: size.rw, SizeRootFs: size.root }),
    Mounts: stored.mounts,
    Config: { ...wholeConfig(stored.config), Hostname: stored.config.Hostname || record.id.slice(0, 12) },
    NetworkSettings: {
      SandboxID: record.id,
      SandboxKey: record.network?.namespace ?? "",
      Ports: portTable(record.network?.ports ?? [], Object.keys(stored.config.ExposedPorts ?? {})),
      Gateway: own?.Gateway ?? "",
      IPAddress: own?.IPAddress ?? "",
      IPPrefixLen: own?.IPPrefixLen ?? 0,
      MacAddress: own?.MacAddress ?? "",
      Networks: table,
    },
  };
}
