import { isIPv6 } from "node:net";
import { GantryError } from "#base/core/errors.ts";
import type { IpamConfig } from "#formats/docker/network.ts";

interface IpamFlags {
  readonly subnet: readonly string[];
  readonly gateway: readonly string[];
  readonly ipRange: readonly string[];
  readonly auxAddress: readonly string[];
}

const isSix = (text: string) => isIPv6(text.split("/")[0] ?? "");

/** Gateways, ranges and addresses belong to the subnet of their family. Error "invalid" without one. */
export function ipamConfigs({ subnet, gateway, ipRange, auxAddress }: IpamFlags): IpamConfig[] {
  const configs = subnet.map((text) => ({
    Subnet: text,
    ...first("Gateway", gateway, isSix(text)),
    ...first("IPRange", ipRange, isSix(text)),
    AuxiliaryAddresses: Object.fromEntries(
      auxAddress.map((entry) => split(entry)).filter(([, address]) => isSix(address) === isSix(text)),
    ),
  }));
  const asked = [...gateway, ...ipRange, ...auxAddress.map((entry) => split(entry)[1])];
  const homeless = asked.find((text) => !subnet.some((other) => isSix(other) === isSix(text)));
  if (homeless === undefined) return configs;
  throw new GantryError("invalid", {
    doing: "make the network with the address",
    on: homeless,
    because: "no subnet of its family is named",
    next: "Name one with --subnet.",
  });
}

function first(name: "Gateway" | "IPRange", values: readonly string[], six: boolean): Partial<IpamConfig> {
  const value = values.find((text) => isSix(text) === six);
  return value === undefined ? {} : { [name]: value };
}

function split(entry: string): [string, string] {
  const at = entry.indexOf("=");
  return [entry.slice(0, at), entry.slice(at + 1)];
}
