import { GantryError } from "#base/core/errors.ts";
import { type Address, bitsOf, type Family, formatAddress, parseAddress } from "#base/core/ip-address.ts";

/** A block of addresses, by its first. */
export interface Subnet {
  readonly family: Family;
  readonly first: bigint;
  readonly prefix: number;
}

/** "10.1.0.0/16", "fd00::/64"; host bits are left out. undefined for what is none. */
export function parseSubnet(text: string): Subnet | undefined {
  const [address, bits, more] = text.split("/");
  const parsed = parseAddress(address ?? "");
  if (parsed === undefined || more !== undefined || bits === undefined || !/^\d{1,3}$/.test(bits)) return undefined;
  const prefix = Number(bits);
  if (prefix > bitsOf(parsed.family)) return undefined;
  return subnetOf(parsed, prefix);
}

export function subnetOf({ family, value }: Address, prefix: number): Subnet {
  const shift = BigInt(bitsOf(family) - prefix);
  return { family, first: (value >> shift) << shift, prefix };
}

export function subnetText({ family, first, prefix }: Subnet): string {
  return `${formatAddress({ family, value: first })}/${prefix}`;
}

export function sizeOf({ family, prefix }: Subnet): bigint {
  return 1n << BigInt(bitsOf(family) - prefix);
}

export function contains(subnet: Subnet, address: Address): boolean {
  const offset = address.value - subnet.first;
  return subnet.family === address.family && offset >= 0n && offset < sizeOf(subnet);
}

export function overlap(a: Subnet, b: Subnet): boolean {
  return a.family === b.family && a.first < b.first + sizeOf(b) && b.first < a.first + sizeOf(a);
}

/** Places few networks use; Docker's 172.17 to 172.31 and the usual home networks are left alone. */
const blocks: readonly Subnet[] = [
  ...[64, 71, 96, 114, 142, 178, 203, 229].map((part) => `10.${part}.0.0/16`),
  ...[112, 160, 176, 208].map((part) => `192.168.${part}.0/20`),
].flatMap((text) => parseSubnet(text) ?? []);

/** A bridge holds 1023 ports, so a network made by hand needs no more addresses. */
const slice = 22;

/**
 * The first that nothing the host knows overlaps: a whole block for the default bridge, a slice of one for others.
 * Error "exhausted".
 */
export function chooseSubnet(used: readonly Subnet[], size: "block" | "slice" = "block"): Subnet {
  const taken = used.filter(({ prefix }) => prefix > 0);
  const isFree = (candidate: Subnet) => !taken.some((other) => overlap(candidate, other));
  for (const block of blocks) {
    if (size === "block") {
      if (isFree(block)) return block;
      continue;
    }
    for (let first = block.first; first < block.first + sizeOf(block); first += 1n << BigInt(32 - slice)) {
      const candidate = { family: 4, first, prefix: slice } as const;
      if (isFree(candidate)) return candidate;
    }
  }
  throw new GantryError("exhausted", {
    doing: "choose the network's addresses",
    because: "the host has a route or a network in every candidate",
    next: "Remove networks that nobody needs (gantry network prune), or name a subnet with --subnet.",
  });
}

/** A unique local /64 (RFC 4193) made from a network's id. */
export function localSubnet6(id: string): Subnet {
  return { family: 6, first: (0xfdn << 120n) | (BigInt(`0x${id.slice(0, 14)}`) << 64n), prefix: 64 };
}
