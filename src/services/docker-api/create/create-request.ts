import { hostname as machineName } from "node:os";
import type { CreateRequest, NetworkMode, SandboxSpec } from "#containers/lifecycle/contract.ts";
import { signalName } from "#containers/lifecycle/signals.ts";
import type { Engine } from "#engine/contract.ts";
import type { ContainerConfig, ContainerCreateBody, ContainerMount, HostConfig } from "#formats/docker/container.ts";
import type { Platform } from "#formats/oci/contract.ts";
import type { ResolvedImage } from "#images/store/contract.ts";
import { blockIoOf } from "./block-io.ts";
import { requestedDevices } from "./device-requests.ts";
import { deviceRulesOf, devicesOf } from "./devices.ts";
import { egressOf } from "./egress.ts";
import { healthCheckOf } from "./health.ts";
import { commandLine, withImageDefaults } from "./image-defaults.ts";
import { logOptionsOf } from "./log-options.ts";
import { wantedMounts } from "./mounts.ts";
import { sharedNamespaces } from "./namespaces.ts";
import { networkMode } from "./networks.ts";
import { placeMounts } from "./place-mounts.ts";
import { portMappings } from "./ports.ts";
import { refuseNotServed } from "./refused.ts";
import { resourcesOf, securityOf, ulimitsOf } from "./resources.ts";
import { restartPolicyOf } from "./restart.ts";
import { volumesFrom } from "./volumes-from.ts";

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
  /** What was asked for and this machine has no way to do. */
  readonly warnings: readonly string[];
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
  const inherited = volumesFrom(engine, host.VolumesFrom ?? []);
  const wanted = wantedMounts(host, Object.keys(config.Volumes ?? {}), inherited);
  const security = securityOf(host);
  const resources = resourcesOf(host);
  const blockIo = blockIoOf(host);
  const requested = requestedDevices(host);
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
    warnings: blockIo.warnings,
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
          env: [...defaultEnv(config), ...requested.env],
          cwd: config.WorkingDir === undefined || config.WorkingDir === "" ? "/" : config.WorkingDir,
          user: config.User || "0",
          additionalGroups: [...(host.GroupAdd ?? []), ...requested.groups],
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
        mounts: [...mounts.specs, ...requested.mounts],
        devices: [...devicesOf(host), ...requested.devices],
        deviceRules: deviceRulesOf(host),
        resources: { ...resources, ...blockIo.limits },
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
  const hostname = config.Hostname || inheritedHostname(engine, host, network);
  return {
    network,
    ports: portMappings(host, exposed),
    ...(hostname === "" ? {} : { hostname }),
    ...(config.Domainname ? { domainname: config.Domainname } : {}),
    ...(host.Dns && host.Dns.length > 0 ? { dns: host.Dns } : {}),
    ...(host.DnsSearch && host.DnsSearch.length > 0 ? { dnsSearch: host.DnsSearch } : {}),
    ...(host.DnsOptions && host.DnsOptions.length > 0 ? { dnsOptions: host.DnsOptions } : {}),
    ...egressOf(host),
    ...(host.ExtraHosts && host.ExtraHosts.length > 0 ? { extraHosts: host.ExtraHosts } : {}),
    ...sharedNamespaces(engine, host, config),
    ...(host.CgroupParent ? { cgroupParent: host.CgroupParent } : {}),
  };
}

/** Who uses the host's network is the host to others, and has its name unless told otherwise. */
function inheritedHostname(engine: Engine, host: HostConfig, network: NetworkMode): string {
  if (network.kind === "host" || host.UTSMode === "host") return machineName();
  return network.kind === "container" ? hostnameOf(engine, network.id) : "";
}

/** Who shares a container's network is the same machine to others, so it has that name (Docker does the same). */
function hostnameOf(engine: Engine, id: string): string {
  return engine.containers.get(id).sandbox.hostname ?? id.slice(0, 12);
}
