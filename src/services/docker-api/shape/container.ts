import type { ContainerRecord } from "#containers/lifecycle/contract.ts";
import type { PublishedPort } from "#containers/network/contract.ts";
import type {
  ContainerInspect,
  ContainerPort,
  ContainerStatus,
  ContainerSummary,
  EndpointSettings,
  PortBinding,
} from "#formats/docker/container.ts";
import { span } from "#formats/docker/span.ts";
import type { StoredRequest } from "../create/create-request.ts";
import { commandLine } from "../create/image-defaults.ts";
import { timestamp, zeroTime } from "./time.ts";

export function storedRequest(record: ContainerRecord): StoredRequest {
  return record.request as StoredRequest;
}

function networkName(record: ContainerRecord): string {
  const mode = record.sandbox.network;
  return mode.kind === "container" ? `container:${mode.id}` : mode.kind;
}

function endpoint(record: ContainerRecord): EndpointSettings {
  const network = record.network;
  return {
    NetworkID: networkName(record),
    EndpointID: network?.address === undefined ? "" : record.id,
    Gateway: network?.gateway ?? "",
    IPAddress: network?.address ?? "",
    IPPrefixLen: network?.prefixLength ?? 0,
    MacAddress: network?.mac ?? "",
  };
}

function networks(record: ContainerRecord): Record<string, EndpointSettings> {
  return record.sandbox.network.kind === "container" ? {} : { [networkName(record)]: endpoint(record) };
}

/** "Up 2 minutes", "Exited (0) 3 seconds ago": the words of `docker ps`. */
export function statusLine(record: ContainerRecord, now: number): string {
  const state = record.state;
  switch (state.status) {
    case "created":
      return "Created";
    case "running":
      return `Up ${span(now - state.startedAt)}`;
    case "paused":
      return `Up ${span(now - state.startedAt)} (Paused)`;
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

export function summary(record: ContainerRecord, now: number, size?: { rw: number; root: number }): ContainerSummary {
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
    HostConfig: { NetworkMode: networkName(record) },
    NetworkSettings: { Networks: networks(record) },
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

export interface InspectPlaces {
  readonly runFolder: string;
  readonly logPath: string;
  readonly upper?: string;
}

export function inspect(
  record: ContainerRecord,
  places: InspectPlaces,
  execs: readonly string[],
  size?: { rw: number; root: number },
): ContainerInspect {
  const stored = storedRequest(record);
  const command = commandLine(stored.config);
  const state = record.state;
  const runs = state.status === "running" || state.status === "paused";
  const last = state.status === "exited" ? state : state.status === "removing" ? state.last : undefined;
  const own = endpoint(record);
  return {
    Id: record.id,
    Created: timestamp(record.created),
    Path: command[0] ?? "",
    Args: command.slice(1),
    State: {
      Status: state.status,
      Running: runs,
      Paused: state.status === "paused",
      Restarting: false,
      OOMKilled: last?.oomKilled ?? false,
      Dead: false,
      Pid: runs ? state.pid : 0,
      ExitCode: last?.exitCode ?? 0,
      Error: last?.error ?? "",
      StartedAt: runs ? timestamp(state.startedAt) : last === undefined ? zeroTime : timestamp(last.startedAt),
      FinishedAt: last === undefined ? zeroTime : timestamp(last.finishedAt),
    },
    Image: record.image,
    ResolvConfPath: `${places.runFolder}/resolv.conf`,
    HostnamePath: `${places.runFolder}/hostname`,
    HostsPath: `${places.runFolder}/hosts`,
    LogPath: places.logPath,
    Name: `/${record.name}`,
    RestartCount: 0,
    Driver: "overlay2",
    Platform: "linux",
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: "",
    ExecIDs: execs.length === 0 ? null : execs,
    HostConfig: {
      ...stored.host,
      NetworkMode: stored.host.NetworkMode || "bridge",
      LogConfig: { Type: "json-file", Config: stored.host.LogConfig?.Config ?? {} },
      RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
    },
    GraphDriver: { Name: "overlay2", Data: places.upper === undefined ? null : { UpperDir: places.upper } },
    ...(size === undefined ? {} : { SizeRw: size.rw, SizeRootFs: size.root }),
    Mounts: stored.mounts,
    Config: { ...stored.config, Hostname: stored.config.Hostname || record.id.slice(0, 12) },
    NetworkSettings: {
      SandboxID: record.id,
      SandboxKey: record.network?.namespace ?? "",
      Ports: portTable(record.network?.ports ?? [], Object.keys(stored.config.ExposedPorts ?? {})),
      Gateway: own.Gateway,
      IPAddress: own.IPAddress,
      IPPrefixLen: own.IPPrefixLen,
      MacAddress: own.MacAddress,
      Networks: networks(record),
    },
  };
}
