import { GantryError } from "#base/core/errors.ts";
import { formatAddress } from "#base/core/ip-address.ts";
import type { NetworkRecord, NetworkSpec, SubnetSpec } from "./contract.ts";
import { checkedNetworkName, checkedSubnets, familyOf, hostInterfaceOf, modeOf, subnetsOf } from "./network-spec.ts";
import { chooseSubnet, localSubnet6, overlap, parseSubnet, type Subnet, subnetText } from "./subnet.ts";

export interface Surroundings {
  readonly id: string;
  readonly created: number;
  readonly others: readonly NetworkRecord[];
  /** What the host has a route or an address for. */
  readonly used: readonly Subnet[];
}

/** A network's record with nothing left open. Errors: "invalid", "conflict" (name or subnet), "exhausted". */
export function newRecord(spec: NetworkSpec, { id, created, others, used }: Surroundings): NetworkRecord {
  const name = checkedNetworkName(spec.name);
  const sameName = others.find((other) => other.name === name);
  if (sameName !== undefined) {
    throw new GantryError("conflict", {
      doing: "make the network",
      on: name,
      because: `network with name ${name} already exists`,
      next: "Choose another name, or use that one.",
    });
  }
  const driver = spec.driver ?? "bridge";
  if (driver !== "bridge") modeOf(driver, spec.options ?? {});
  const ipv6 = spec.ipv6 ?? (spec.subnets ?? []).some(({ subnet }) => familyOf(subnet) === 6);
  const taken = [...others.flatMap(subnetsOf)];
  const asked = checkedSubnets(spec.subnets ?? []);
  for (const { subnet } of asked) refuseOverlap(parseSubnet(subnet)!, others, name);
  const has = (family: 4 | 6) => asked.some(({ subnet }) => familyOf(subnet) === family);
  const chosen: SubnetSpec[] = [
    ...(has(4) ? [] : [{ subnet: subnetText(chooseSubnet([...used, ...taken], "slice")) }]),
    ...(has(6) || !ipv6 ? [] : [{ subnet: subnetText(localSubnet6(id)) }]),
  ];
  return {
    id,
    name,
    driver,
    created,
    subnets: [...asked, ...chosen].map((one) => ({ ...one, gateway: one.gateway ?? firstOf(one.subnet) })),
    ipv6,
    internal: spec.internal ?? false,
    attachable: spec.attachable ?? false,
    labels: spec.labels ?? {},
    options: spec.options ?? {},
    hostInterface: hostInterfaceOf(spec, id),
  };
}

function firstOf(subnet: string): string {
  const { family, first } = parseSubnet(subnet)!;
  return formatAddress({ family, value: first + 1n });
}

function refuseOverlap(subnet: Subnet, others: readonly NetworkRecord[], name: string): void {
  const other = others.find((record) => subnetsOf(record).some((theirs) => overlap(theirs, subnet)));
  if (other === undefined) return;
  throw new GantryError("conflict", {
    doing: "make the network",
    on: name,
    because: `Pool overlaps with other one on this address space: ${subnetText(subnet)} is in the network ${other.name}`,
    next: "Name another subnet, or leave it to the engine.",
  });
}
