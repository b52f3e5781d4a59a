import { GantryError } from "#base/core/errors.ts";
import type { EndpointConfig } from "#formats/docker/container.ts";

export interface NetworkFlags {
  readonly network: readonly string[];
  readonly net: readonly string[];
  readonly networkAlias: readonly string[];
  readonly ip?: string;
  readonly ip6?: string;
  readonly macAddress?: string;
}

interface Networking {
  readonly mode: string;
  readonly endpoints: Record<string, EndpointConfig>;
}

/** `--network` in both of Docker's forms; flags of an address hold for the first. Error "invalid". */
export function networkingConfig(flags: NetworkFlags): Networking {
  const [first, ...rest] = [...flags.network, ...flags.net].map(parseNetwork);
  if (first === undefined && rest.length === 0 && !hasEndpointFlags(flags)) return { mode: "default", endpoints: {} };
  const own = first ?? { name: "default", config: {} };
  const asked = endpointConfig({
    Aliases: flags.networkAlias,
    MacAddress: flags.macAddress,
    ip: flags.ip,
    ip6: flags.ip6,
  });
  const all = [{ name: own.name, config: { ...own.config, ...asked } }, ...rest];
  const several = all.length > 1;
  const endpoints = all.filter(({ config }) => several || Object.keys(config).length > 0);
  return { mode: own.name, endpoints: Object.fromEntries(endpoints.map(({ name, config }) => [name, config])) };
}

function hasEndpointFlags({ networkAlias, ip, ip6, macAddress }: NetworkFlags): boolean {
  return networkAlias.length > 0 || [ip, ip6, macAddress].some((part) => part !== undefined);
}

/** "mynet", or "name=mynet,alias=web,ip=10.1.2.3,driver-opt=a=b". */
function parseNetwork(text: string): { readonly name: string; readonly config: EndpointConfig } {
  if (!/^[a-z0-9-]+=/i.test(text)) return { name: text, config: {} };
  const fields = new Map<string, string[]>();
  for (const part of text.split(",")) {
    const at = part.indexOf("=");
    const key = part.slice(0, at).toLowerCase();
    if (!known.includes(key)) throw wrong(text, `"${part}" is no field of it`);
    fields.set(key, [...(fields.get(key) ?? []), part.slice(at + 1)]);
  }
  const one = (key: string) => fields.get(key)?.at(-1);
  const name = one("name");
  if (name === undefined || name === "") throw wrong(text, "it names no network");
  return {
    name,
    config: endpointConfig({
      Aliases: fields.get("alias") ?? [],
      MacAddress: one("mac-address"),
      ip: one("ip"),
      ip6: one("ip6"),
      priority: one("gw-priority"),
      options: fields.get("driver-opt") ?? [],
    }),
  };
}

const known = ["name", "alias", "ip", "ip6", "mac-address", "link-local-ip", "driver-opt", "gw-priority"];

function endpointConfig(parts: {
  readonly Aliases: readonly string[];
  readonly MacAddress: string | undefined;
  readonly ip: string | undefined;
  readonly ip6: string | undefined;
  readonly priority?: string | undefined;
  readonly options?: readonly string[];
}): EndpointConfig {
  const { Aliases, MacAddress, ip, ip6, priority, options = [] } = parts;
  const addresses = {
    ...(ip === undefined ? {} : { IPv4Address: ip }),
    ...(ip6 === undefined ? {} : { IPv6Address: ip6 }),
  };
  return {
    ...(Aliases.length === 0 ? {} : { Aliases }),
    ...(MacAddress === undefined ? {} : { MacAddress }),
    ...(Object.keys(addresses).length === 0 ? {} : { IPAMConfig: addresses }),
    ...(priority === undefined ? {} : { GwPriority: Number(priority) }),
    ...(options.length === 0
      ? {}
      : { DriverOpts: Object.fromEntries(options.map((entry) => entry.split("=", 2) as [string, string])) }),
  };
}

function wrong(text: string, because: string): GantryError {
  return new GantryError("invalid", {
    doing: "read --network",
    on: text,
    because,
    next: "For example: --network name=mynet,alias=web,ip=10.5.0.7",
  });
}
