import { GantryError } from "#base/core/errors.ts";
import type { NetworkMode } from "#containers/lifecycle/contract.ts";
import { defaultNetwork, type EndpointRequest } from "#containers/network/contract.ts";
import type { Engine } from "#engine/contract.ts";
import type { ContainerCreateBody, EndpointConfig, HostConfig } from "#formats/docker/container.ts";

/** `HostConfig.NetworkMode` and `NetworkingConfig` as a sandbox has it. Errors: "not-found", "invalid", "conflict". */
export function networkMode(engine: Engine, host: HostConfig, body: ContainerCreateBody): NetworkMode {
  const mode = host.NetworkMode ?? "";
  const asked = body.NetworkingConfig?.EndpointsConfig ?? {};
  if (body.NetworkDisabled === true || mode === "none") return { kind: "none" };
  if (mode === "host") return { kind: "host" };
  if (mode.startsWith("container:")) {
    return { kind: "container", id: engine.containers.get(mode.slice("container:".length)).id };
  }
  const first = mode === "" || mode === "default" ? defaultNetwork : mode;
  const names = Object.keys(asked);
  const rest = names.filter((name) => name !== first && name !== mode && name !== "default");
  const own = asked[first] ?? asked[mode] ?? asked.default ?? undefined;
  // A container in one network by NetworkMode alone, and in those that NetworkingConfig adds (API 1.44).
  const wanted = [[first, own] as const, ...rest.map((name) => [name, asked[name]] as const)];
  return {
    kind: "networks",
    endpoints: wanted.map(([name, config], at) => ({
      ...endpointRequest(engine, name, config ?? {}),
      ...(at === 0 && body.MacAddress && !config?.MacAddress ? { mac: checkedMac(body.MacAddress) } : {}),
    })),
  };
}

/** One endpoint's settings. Errors: "not-found", "invalid". */
export function endpointRequest(engine: Engine, network: string, config: EndpointConfig): EndpointRequest {
  const { name } = engine.networks.get(network);
  const { IPv4Address: address, IPv6Address: address6 } = config.IPAMConfig ?? {};
  const aliases = config.Aliases ?? [];
  if (name === defaultNetwork && aliases.length > 0) {
    throw new GantryError("invalid", {
      doing: "connect to the network",
      on: name,
      because: "network-scoped aliases are only supported for user-defined networks",
      next: "Make a network with: gantry network create NAME",
    });
  }
  return {
    network: name,
    ...(address ? { address } : {}),
    ...(address6 ? { address6 } : {}),
    ...(config.MacAddress ? { mac: checkedMac(config.MacAddress) } : {}),
    ...(aliases.length === 0 ? {} : { aliases }),
    ...(config.GwPriority ? { gatewayPriority: config.GwPriority } : {}),
    ...(config.DriverOpts?.["com.docker.network.endpoint.ifname"]
      ? { interfaceName: config.DriverOpts["com.docker.network.endpoint.ifname"] }
      : {}),
  };
}

function checkedMac(text: string): string {
  const mac = text.toLowerCase().replaceAll("-", ":");
  const first = Number.parseInt(mac.slice(0, 2), 16);
  if (/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac) && (first & 1) === 0) return mac;
  throw new GantryError("invalid", {
    doing: "give the container the MAC address",
    on: text,
    because: "it is no unicast address of six bytes",
    next: "For example: 02:42:ac:11:00:02",
  });
}
