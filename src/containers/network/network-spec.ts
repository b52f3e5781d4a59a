import { GantryError } from "#base/core/errors.ts";
import { formatAddress, parseAddress } from "#base/core/ip-address.ts";
import type { NetworkDriver, NetworkRecord, NetworkSpec, SubnetSpec } from "./contract.ts";
import { contains, parseSubnet, type Subnet } from "./subnet.ts";

/** Names that are ways to have no network of one's own. */
const reservedNames = ["host", "none", "default", "container"];

function refuse(doing: string, on: string, because: string, next?: string): GantryError {
  return new GantryError("invalid", { doing, on, because, ...(next === undefined ? {} : { next }) });
}

export function checkedNetworkName(name: string): string {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name)) {
    throw refuse("name the network", name, "a name is letters, digits, _, . and -, beginning with a letter or digit");
  }
  if (reservedNames.includes(name)) throw refuse("name the network", name, "that name is taken by the engine itself");
  return name;
}

/** A subnet with its gateway. Errors: "invalid", saying which part. */
export function checkedSubnet(spec: SubnetSpec): SubnetSpec & { readonly gateway: string } {
  const subnet = parseSubnet(spec.subnet);
  const doing = "make the network with the subnet";
  if (subnet === undefined) throw refuse(doing, spec.subnet, "it is no subnet", "For example: 10.5.0.0/16");
  if (subnet.prefix > (subnet.family === 4 ? 30 : 126))
    throw refuse(doing, spec.subnet, "it has no room for containers");
  const gateway = spec.gateway ?? formatAddress({ family: subnet.family, value: subnet.first + 1n });
  for (const [what, text] of [["gateway", gateway], ...Object.entries(spec.reserved ?? {})]) {
    const address = parseAddress(text ?? "");
    if (address === undefined || !contains(subnet, address)) {
      throw refuse(doing, spec.subnet, `its ${what} ${text} is not in it`);
    }
  }
  if (spec.range !== undefined) {
    const range = parseSubnet(spec.range);
    const inside = range !== undefined && contains(subnet, { family: range.family, value: range.first });
    if (!inside || range.prefix < subnet.prefix)
      throw refuse(doing, spec.subnet, `its range ${spec.range} is not in it`);
  }
  return { ...spec, gateway };
}

/** Errors: "invalid" for two subnets of one family. */
export function checkedSubnets(specs: readonly SubnetSpec[]): (SubnetSpec & { readonly gateway: string })[] {
  const checked = specs.map(checkedSubnet);
  const families = checked.map(({ subnet }) => familyOf(subnet));
  if (new Set(families).size === families.length) return checked;
  throw refuse(
    "make the network with the subnets",
    specs.map(({ subnet }) => subnet).join(", "),
    "one of each family is all a network has",
  );
}

export function familyOf(subnet: string): 4 | 6 {
  return subnet.includes(":") ? 6 : 4;
}

export function subnetsOf(record: Pick<NetworkRecord, "subnets">): Subnet[] {
  return record.subnets.flatMap(({ subnet }) => parseSubnet(subnet) ?? []);
}

/** The bridge's name or the parent interface. Errors: "invalid". */
export function hostInterfaceOf(spec: NetworkSpec, id: string): string {
  const driver: NetworkDriver = spec.driver ?? "bridge";
  const named = driver === "bridge" ? spec.options?.["com.docker.network.bridge.name"] : spec.options?.parent;
  if (named === undefined && driver !== "bridge") {
    throw refuse(
      "make the network",
      spec.name,
      `${driver} needs an interface of the host`,
      "Name it with -o parent=eth0.",
    );
  }
  const name = named ?? `gn${id.slice(0, 12)}`;
  if (/^[a-zA-Z0-9_.:-]{1,15}$/.test(name)) return name;
  throw refuse("make the network", spec.name, `"${name}" is no name of an interface`);
}

const modes: Readonly<Record<"macvlan" | "ipvlan", Readonly<Record<string, number>>>> = {
  macvlan: { private: 1, vepa: 2, bridge: 4, passthru: 8 },
  ipvlan: { l2: 0, l3: 1, l3s: 2 },
};

/** The kernel's number of a macvlan or ipvlan mode. Error "invalid". */
export function modeOf(driver: "macvlan" | "ipvlan", options: Readonly<Record<string, string>>): number {
  const text = options[`${driver}_mode`] ?? (driver === "macvlan" ? "bridge" : "l2");
  const mode = modes[driver][text];
  if (mode !== undefined) return mode;
  throw refuse(
    `make the ${driver} network with the mode`,
    text,
    "there is none",
    `Known are ${Object.keys(modes[driver]).join(", ")}.`,
  );
}
