import { isKind } from "#base/core/errors.ts";
import type { ContainerRecord } from "#containers/lifecycle/contract.ts";
import { endpointsOf, namesOf } from "#containers/lifecycle/networking.ts";
import { defaultNetwork, type EndpointRequest, type Networks } from "#containers/network/contract.ts";
import type { EndpointSettings } from "#formats/docker/container.ts";

/** "bridge", "host", "container:ID" or a network's name. */
export function networkModeOf({ sandbox }: ContainerRecord): string {
  const mode = sandbox.network;
  if (mode.kind === "container") return `container:${mode.id}`;
  return mode.kind === "networks" ? (mode.endpoints[0]?.network ?? "none") : mode.kind;
}

/** `NetworkSettings.Networks`: every network it wants to be in, filled in while it runs. */
export function endpointTable(networks: Networks, record: ContainerRecord): Record<string, EndpointSettings> {
  const { kind } = record.sandbox.network;
  if (kind === "container") return {};
  if (kind === "host" || kind === "none") return { [kind]: settings(networks, record, { network: kind }) };
  return Object.fromEntries(
    endpointsOf(record.sandbox).map((request) => [request.network, settings(networks, record, request)]),
  );
}

function settings(networks: Networks, record: ContainerRecord, request: EndpointRequest): EndpointSettings {
  const id = idOf(networks, request.network);
  const found = record.network?.endpoints.find(({ network }) => network === id || network === "");
  const { address, address6 } = request;
  const asked = address !== undefined || address6 !== undefined;
  const named = request.network !== defaultNetwork && id !== "";
  return {
    IPAMConfig: asked
      ? {
          ...(address === undefined ? {} : { IPv4Address: address }),
          ...(address6 === undefined ? {} : { IPv6Address: address6 }),
        }
      : null,
    Links: null,
    Aliases: request.aliases ?? null,
    DriverOpts: null,
    GwPriority: request.gatewayPriority ?? 0,
    NetworkID: id,
    EndpointID: found?.id ?? "",
    Gateway: found?.gateway ?? "",
    IPAddress: found?.address ?? "",
    IPPrefixLen: found?.prefixLength ?? 0,
    IPv6Gateway: found?.gateway6 ?? "",
    GlobalIPv6Address: found?.address6 ?? "",
    GlobalIPv6PrefixLen: found?.prefixLength6 ?? 0,
    MacAddress: found?.mac ?? "",
    DNSNames: named ? [...new Set([...namesOf(record), ...(request.aliases ?? [])])] : null,
  };
}

/** "" for a network that was removed while the container rested, and for host and none. */
function idOf(networks: Networks, name: string): string {
  try {
    return networks.get(name).id;
  } catch (error) {
    if (isKind(error, "not-found")) return "";
    throw error;
  }
}
