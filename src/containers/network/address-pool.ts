import { GantryError } from "#base/core/errors.ts";
import { type Address, formatAddress, parseAddress } from "#base/core/ip-address.ts";
import { contains, type Subnet, sizeOf, subnetText } from "./subnet.ts";

export interface PoolOptions {
  readonly subnet: Subnet;
  readonly gateway: string;
  /** Only from here addresses are handed out unasked. */
  readonly range?: Subnet;
  readonly reserved?: readonly string[];
}

/** Addresses of a subnet, handed out in turn so that one just freed is the last to come again. */
export class AddressPool {
  readonly gateway: string;
  readonly prefix: number;
  readonly #subnet: Subnet;
  readonly #first: bigint;
  readonly #count: bigint;
  readonly #taken = new Set<bigint>();
  #next = 0n;

  constructor({ subnet, gateway, range = subnet, reserved = [] }: PoolOptions) {
    this.#subnet = subnet;
    this.prefix = subnet.prefix;
    this.gateway = gateway;
    this.#first = range.first;
    this.#count = sizeOf(range);
    // The network's own address is no one's, nor is the broadcast of IPv4.
    this.#taken.add(subnet.first);
    if (subnet.family === 4) this.#taken.add(subnet.first + sizeOf(subnet) - 1n);
    for (const address of [gateway, ...reserved]) this.hold(address);
  }

  /** Error "exhausted". */
  take(): string {
    for (let tried = 0n; tried < this.#count && tried <= BigInt(this.#taken.size); tried += 1n) {
      const value = this.#first + this.#next;
      this.#next = (this.#next + 1n) % this.#count;
      if (this.#taken.has(value)) continue;
      this.#taken.add(value);
      return formatAddress({ family: this.#subnet.family, value });
    }
    throw new GantryError("exhausted", {
      doing: "give the container an address",
      because: `all addresses of ${subnetText({ ...this.#subnet, first: this.#first })} are taken`,
      next: "Remove containers, or make a larger network.",
    });
  }

  /** An address somebody asked for. Errors: "invalid" outside the subnet, "conflict" taken. */
  claim(text: string): string {
    const address = parseAddress(text);
    if (address === undefined || !contains(this.#subnet, address)) {
      throw new GantryError("invalid", {
        doing: "give the container the address",
        on: text,
        because: `it is not in ${subnetText(this.#subnet)}`,
        next: "Ask for one inside the network's subnet.",
      });
    }
    if (this.#taken.has(address.value)) {
      throw new GantryError("conflict", {
        doing: "give the container the address",
        on: text,
        because: "Address already in use",
        next: "Ask for another, or leave it to the engine.",
      });
    }
    this.#taken.add(address.value);
    return formatAddress(address);
  }

  hold(text: string): void {
    this.#set(text, (address) => this.#taken.add(address.value));
  }

  free(text: string): void {
    this.#set(text, (address) => this.#taken.delete(address.value));
  }

  #set(text: string, change: (address: Address) => void): void {
    const address = parseAddress(text);
    if (address !== undefined) change(address);
  }
}

/** A locally administered address made from the IPv4 one, so that a neighbour table is never stale. */
export function macOf(address: string): string {
  const bytes = address.split(".").map((part) => Number(part).toString(16).padStart(2, "0"));
  return ["02", "47", ...bytes].join(":");
}
