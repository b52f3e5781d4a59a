import { GantryError } from "#base/core/errors.ts";

export interface Subnet {
  readonly address: string;
  readonly prefix: number;
}

export function toNumber(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function toText(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

/** Dotted IPv4, each part 0 to 255. */
export function isAddress(text: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(text) && text.split(".").every((part) => Number(part) <= 255);
}

function overlap(a: Subnet, b: Subnet): boolean {
  const size = 2 ** (32 - Math.min(a.prefix, b.prefix));
  return Math.floor(toNumber(a.address) / size) === Math.floor(toNumber(b.address) / size);
}

/** Places few networks use; Docker's 172.17 to 172.31 and the usual home networks are left alone. */
const candidates: readonly Subnet[] = [
  ...[64, 71, 96, 114, 142, 178, 203, 229].map((part) => ({ address: `10.${part}.0.0`, prefix: 16 })),
  ...[112, 160, 176, 208].map((part) => ({ address: `192.168.${part}.0`, prefix: 20 })),
];

/** The first that nothing the host knows overlaps. Error "exhausted". */
export function chooseSubnet(used: readonly Subnet[]): Subnet {
  const free = candidates.find((candidate) => !used.some((other) => other.prefix > 0 && overlap(candidate, other)));
  if (free !== undefined) return free;
  throw new GantryError("exhausted", {
    doing: "choose the containers' network",
    because: "the host has a route into every candidate",
    next: "Remove a route, or start the engine with a network of your choice.",
  });
}

/** Addresses of a subnet, handed out in turn so that one just freed is the last to come again. */
export class AddressPool {
  readonly gateway: string;
  readonly prefix: number;
  readonly #first: number;
  readonly #count: number;
  readonly #taken = new Set<number>();
  #next = 2;

  constructor({ address, prefix }: Subnet) {
    const size = 2 ** (32 - prefix);
    this.#first = Math.floor(toNumber(address) / size) * size;
    // Network, gateway and broadcast are no one's.
    this.#count = size - 1;
    this.prefix = prefix;
    this.gateway = toText(this.#first + 1);
  }

  /** Error "exhausted". */
  take(): string {
    for (let tried = 0; tried < this.#count; tried += 1) {
      const offset = this.#next;
      this.#next = this.#next + 1 >= this.#count ? 2 : this.#next + 1;
      if (offset < this.#count && !this.#taken.has(offset)) {
        this.#taken.add(offset);
        return toText(this.#first + offset);
      }
    }
    throw new GantryError("exhausted", {
      doing: "give the container an address",
      because: `all addresses of ${toText(this.#first)}/${this.prefix} are taken`,
      next: "Remove containers.",
    });
  }

  hold(address: string): void {
    this.#taken.add(toNumber(address) - this.#first);
  }

  free(address: string): void {
    this.#taken.delete(toNumber(address) - this.#first);
  }
}

/** A locally administered address made from the IPv4 one, so that a neighbour table is never stale. */
export function macOf(address: string): string {
  const bytes = address.split(".").map((part) => Number(part).toString(16).padStart(2, "0"));
  return ["02", "47", ...bytes].join(":");
}
