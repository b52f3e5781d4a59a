import { isIP } from "node:net";
import { GantryError } from "#base/core/errors.ts";
import { bitsOf, parseAddress } from "#base/core/ip-address.ts";
import { contains, parseSubnet, type Subnet, subnetOf, subnetText } from "./subnet.ts";

/** Where a container may go: subnets, and names with or without their subdomains ("*.example.org"). */
export interface EgressList {
  readonly subnets: readonly Subnet[];
  /** Lower case. */
  readonly names: readonly string[];
}

/** "none" alone allows nothing. Error "invalid" for what is neither an address nor a name. */
export function parseEgress(entries: readonly string[]): EgressList {
  const wanted = entries.map((entry) => entry.trim().toLowerCase()).filter((entry) => entry !== "" && entry !== "none");
  const subnets: Subnet[] = [];
  const names: string[] = [];
  for (const entry of wanted) {
    const subnet = subnetFrom(entry);
    if (subnet !== undefined) subnets.push(subnet);
    else if (/^(\*\.)?([a-z0-9_]([a-z0-9_-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(entry))
      names.push(entry);
    else {
      throw new GantryError("invalid", {
        doing: "allow the way out to",
        on: entry,
        because: "it is neither an address, a subnet nor a name",
        next: "For example: 192.0.2.0/24, example.org or *.example.org; none allows nothing.",
      });
    }
  }
  return { subnets, names };
}

function subnetFrom(text: string): Subnet | undefined {
  if (isIP(text) === 0) return parseSubnet(text);
  const address = parseAddress(text);
  return address === undefined ? undefined : subnetOf(address, bitsOf(address.family));
}

export function allowsName({ names }: EgressList, name: string): boolean {
  const wanted = name.toLowerCase().replace(/\.$/, "");
  return names.some((pattern) => (pattern.startsWith("*.") ? wanted.endsWith(pattern.slice(1)) : wanted === pattern));
}

/** A container's own list stays inside its network's. Error "denied", naming what does not. */
export function requireWithin(own: EgressList, network: EgressList, name: string): void {
  const subnet = own.subnets.find(
    (one) =>
      !network.subnets.some(
        (other) => other.prefix <= one.prefix && contains(other, { family: one.family, value: one.first }),
      ),
  );
  const host = own.names.find(
    (one) => !allowsName(network, one.replace(/^\*\./, "x.")) && !network.names.includes(one),
  );
  const outside = subnet === undefined ? host : subnetText(subnet);
  if (outside === undefined) return;
  throw new GantryError("denied", {
    doing: "allow the way out to",
    on: outside,
    because: `the network ${name} does not allow it`,
    next: "Leave it out, or use another network.",
  });
}
