import { existsSync, mkdirSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import type { CreateRequest, NetworkMode, SandboxSpec, VolumeUse } from "#containers/lifecycle/contract.ts";
import { signalName } from "#containers/lifecycle/signals.ts";
import type { DeviceSpec, MountSpec } from "#containers/runtime/contract.ts";
import type { Engine } from "#engine/contract.ts";
import type { ContainerConfig, ContainerCreateBody, ContainerMount, HostConfig } from "#formats/docker/container.ts";
import type { Platform } from "#formats/oci/contract.ts";
import type { ResolvedImage } from "#images/store/contract.ts";
import { healthCheckOf } from "./health.ts";
import { commandLine, withImageDefaults } from "./image-defaults.ts";
import { logOptionsOf } from "./log-options.ts";
import { type WantedMount, wantedMounts } from "./mounts.ts";
import { networkMode } from "./networks.ts";
import { portMappings } from "./ports.ts";
import { refuseNotServed } from "./refused.ts";
import { resourcesOf, securityOf, ulimitsOf } from "./resources.ts";
import { restartPolicyOf } from "./restart.ts";

/** What the API keeps beside a container, for inspect and list. */
export interface StoredRequest {
  readonly image: string;
  readonly config: ContainerConfig;
  readonly host: HostConfig;
  readonly mounts: readonly ContainerMount[];
}

interface Plan {
  readonly request: CreateRequest;
  /** Fresh volumes that get the image's content at their mount point. */
  readonly fills: readonly { readonly volume: string; readonly target: string }[];
}

/** A create body as a lifecycle request. Makes the volumes it names. Errors: "invalid", "unsupported", "not-found". */
export function planCreate(
  engine: Engine,
  body: ContainerCreateBody,
  image: ResolvedImage,
  { name, platform }: { readonly name: string | null; readonly platform: Platform | undefined },
): Plan {
  const { HostConfig: hostOrNull, NetworkingConfig: _networking, ...asked } = body;
  const host = hostOrNull ?? {};
  refuseNotServed(host);
  const config = withImageDefaults(asked, image.config.config ?? {});
  const exposed = Object.keys(config.ExposedPorts ?? {});
  const wanted = wantedMounts(host, Object.keys(config.Volumes ?? {}));
  const security = securityOf(host);
  const resources = resourcesOf(host);
  const log = logOptionsOf(host);
  const restart = restartPolicyOf(host.RestartPolicy, host.AutoRemove === true);
  const health = healthCheckOf(config, host);
  const sandbox = sandboxOf(engine, config, host, networkMode(engine, host, body), exposed);
  const args = commandLine(config);
  const stop = config.StopSignal ? { stopSignal: signalName(config.StopSignal) } : {};
  // Last: it makes volumes, and a refusal must leave none behind.
  const mounts = placeMounts(engine, wanted);
  return {
    fills: mounts.fills,
    request: {
      ...(name === null || name === "" ? {} : { name: name.replace(/^\//, "") }),
      image: image.record.id,
      eventAttributes: { ...config.Labels, image: body.Image ?? "" },
      ...(platform === undefined ? {} : { platform }),
      sandbox,
      volumes: mounts.volumes,
      request: { image: body.Image ?? "", config, host, mounts: mounts.shown } satisfies StoredRequest,
      config: {
        process: {
          args,
          env: defaultEnv(config),
          cwd: config.WorkingDir === undefined || config.WorkingDir === "" ? "/" : config.WorkingDir,
          user: config.User || "0",
          additionalGroups: host.GroupAdd ?? [],
          terminal: config.Tty === true,
          ...(host.ConsoleSize === undefined || host.ConsoleSize[0] === 0
            ? {}
            : { size: { rows: host.ConsoleSize[0], columns: host.ConsoleSize[1] } }),
          capabilities: { add: host.CapAdd ?? [], drop: host.CapDrop ?? [] },
          noNewPrivileges: security.noNewPrivileges,
          ulimits: ulimitsOf(host),
          ...(host.OomScoreAdj ? { oomScoreAdj: host.OomScoreAdj } : {}),
        },
        ...(host.ReadonlyRootfs === true ? { readonlyRootfs: true } : {}),
        mounts: mounts.specs,
        devices: (host.Devices ?? []).map(
          (device): DeviceSpec => ({
            source: device.PathOnHost,
            target: device.PathInContainer || device.PathOnHost,
            access: device.CgroupPermissions || "rwm",
          }),
        ),
        resources,
        sysctls: host.Sysctls ?? {},
        ...(host.Init === true ? { init: true } : {}),
        ...(host.Privileged === true ? { privileged: true } : {}),
        ...(security.seccomp === undefined ? {} : { seccomp: security.seccomp }),
        ...(host.ShmSize ? { shmSize: host.ShmSize } : {}),
        ...(host.MaskedPaths ? { maskedPaths: host.MaskedPaths } : {}),
        ...(host.ReadonlyPaths ? { readonlyPaths: host.ReadonlyPaths } : {}),
        openStdin: config.OpenStdin === true,
        stdinOnce: config.StdinOnce === true,
        ...stop,
        ...(typeof config.StopTimeout === "number" ? { stopTimeout: config.StopTimeout } : {}),
        autoRemove: host.AutoRemove === true,
        restart,
        ...(health === undefined ? {} : { health }),
        ...log,
      },
    },
  };
}

function defaultEnv(config: ContainerConfig): string[] {
  const env = [...(config.Env ?? [])];
  const has = (name: string) => env.some((entry) => entry.startsWith(`${name}=`));
  if (!has("PATH")) env.unshift("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  if (config.Tty === true && !has("TERM")) env.push("TERM=xterm");
  return env;
}

function sandboxOf(
  engine: Engine,
  config: ContainerConfig,
  host: HostConfig,
  network: NetworkMode,
  exposed: readonly string[],
): SandboxSpec {
  const hostname = config.Hostname || (network.kind === "container" ? hostnameOf(engine, network.id) : "");
  return {
    network,
    ports: portMappings(host, exposed),
    ...(hostname === "" ? {} : { hostname }),
    ...(config.Domainname ? { domainname: config.Domainname } : {}),
    ...(host.Dns && host.Dns.length > 0 ? { dns: host.Dns } : {}),
    ...(host.DnsSearch && host.DnsSearch.length > 0 ? { dnsSearch: host.DnsSearch } : {}),
    ...(host.DnsOptions && host.DnsOptions.length > 0 ? { dnsOptions: host.DnsOptions } : {}),
    ...(host.ExtraHosts && host.ExtraHosts.length > 0 ? { extraHosts: host.ExtraHosts } : {}),
    ...(host.IpcMode === "host" ? { ipc: "host" as const } : {}),
    ...(host.CgroupParent ? { cgroupParent: host.CgroupParent } : {}),
  };
}

/** Who shares a container's network is the same machine to others, so it has that name (Docker does the same). */
function hostnameOf(engine: Engine, id: string): string {
  return engine.containers.get(id).sandbox.hostname ?? id.slice(0, 12);
}

interface PlacedMounts {
  readonly specs: readonly MountSpec[];
  readonly volumes: readonly VolumeUse[];
  readonly shown: readonly ContainerMount[];
  readonly fills: readonly { readonly volume: string; readonly target: string }[];
}

function placeMounts(engine: Engine, wanted: readonly WantedMount[]): PlacedMounts {
  const specs: MountSpec[] = [];
  const volumes: VolumeUse[] = [];
  const shown: ContainerMount[] = [];
  const fills: { volume: string; target: string }[] = [];
  for (const mount of wanted) if (mount.kind === "bind") ensureSource(mount.source, mount.makeSource);
  for (const mount of wanted) {
    if (mount.kind === "tmpfs") {
      const { kind: _kind, ...rest } = mount;
      specs.push({ type: "tmpfs", ...rest });
      shown.push({ Type: "tmpfs", Source: "", Destination: mount.target, Mode: "", RW: true, Propagation: "" });
    } else if (mount.kind === "bind") {
      specs.push({
        type: "bind",
        source: mount.source,
        target: mount.target,
        readonly: mount.readonly,
        ...(mount.propagation === undefined ? {} : { propagation: mount.propagation }),
      });
      shown.push({
        Type: "bind",
        Source: mount.source,
        Destination: mount.target,
        Mode: mount.readonly ? "ro" : "",
        RW: !mount.readonly,
        Propagation: mount.propagation ?? "rprivate",
      });
    } else {
      const anonymous = mount.name === undefined;
      const { record, fresh } = engine.volumes.create({
        ...(mount.name === undefined ? {} : { name: mount.name }),
        labels: mount.labels,
        anonymous,
      });
      specs.push({ type: "bind", source: record.path, target: mount.target, readonly: mount.readonly });
      volumes.push({ name: record.name, anonymous });
      if (fresh && mount.fill) fills.push({ volume: record.name, target: mount.target });
      shown.push({
        Type: "volume",
        Name: record.name,
        Source: record.path,
        Destination: mount.target,
        Driver: "local",
        Mode: mount.readonly ? "ro" : "z",
        RW: !mount.readonly,
        Propagation: "",
      });
    }
  }
  return { specs, volumes, shown, fills };
}

/** `-v /missing:/x` makes the folder, as in Docker; `--mount` says that it is missing. */
function ensureSource(source: string, make: boolean): void {
  if (existsSync(source)) return;
  if (!make) {
    throw new GantryError("invalid", {
      doing: "mount into the container",
      on: source,
      because: "bind source path does not exist on the host",
      next: "Make it first, or use -v, which makes a folder.",
    });
  }
  mkdirSync(source, { recursive: true });
}
