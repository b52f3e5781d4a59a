import { GantryError } from "#base/core/errors.ts";
import type { Random } from "#base/core/random.ts";
import { AddressPool, macOf } from "./address-pool.ts";
import type { Endpoint, EndpointRequest, NetworkRecord } from "./contract.ts";
import { familyOf, modeOf } from "./network-spec.ts";
import type { BridgeFacts } from "./rules.ts";
import { parseSubnet } from "./subnet.ts";
import type { LinkPlan, PrefixedAddress } from "./tasks.ts";

/** One network as it lives: its record, its free addresses, who is in it. */
export class LiveNetwork {
  record: NetworkRecord;
  /** By owner. */
  readonly members = new Map<string, Endpoint>();
  /** Set once its bridge and rules are being made. */
  up: Promise<void> | undefined;
  /** Its elements are in the packet rules. */
  inRules = false;
  #pools: ReadonlyMap<4 | 6, AddressPool> = new Map();

  constructor(record: NetworkRecord) {
    this.record = record;
    this.readSubnets();
  }

  /** After the record got its subnets. */
  readSubnets(): void {
    this.#pools = new Map(
      this.record.subnets.flatMap(({ subnet: text, gateway, range, reserved }) => {
        const subnet = parseSubnet(text);
        if (subnet === undefined) return [];
        const inner = range === undefined ? undefined : parseSubnet(range);
        const pool = new AddressPool({
          subnet,
          gateway,
          reserved: Object.values(reserved ?? {}),
          ...(inner === undefined ? {} : { range: inner }),
        });
        return [[subnet.family, pool] as const];
      }),
    );
  }

  /** Takes addresses for an endpoint. Errors: "exhausted", "invalid", "conflict". */
  allocate(request: Omit<EndpointRequest, "network">, name: string, random: Random): Endpoint {
    const four = this.#pools.get(4);
    if (four === undefined) throw new Error(`the network ${this.record.name} has no addresses yet`);
    const address = take(four, request.address);
    const six = this.#pools.get(6);
    let address6: string | undefined;
    try {
      if (request.address6 !== undefined && six === undefined) throw noIPv6(this.record.name, request.address6);
      address6 = six === undefined ? undefined : take(six, request.address6);
    } catch (error) {
      four.free(address);
      throw error;
    }
    const { internal, driver } = this.record;
    return {
      network: this.record.id,
      id: random.hex(32),
      interface: name,
      address,
      prefixLength: four.prefix,
      gateway: internal ? "" : four.gateway,
      ...(six === undefined || address6 === undefined
        ? {}
        : { address6, prefixLength6: six.prefix, gateway6: internal ? "" : six.gateway }),
      mac: request.mac ?? macOf(address),
      hostInterface: driver === "bridge" ? `gv${random.hex(5)}` : "",
      aliases: request.aliases ?? [],
      gatewayPriority: request.gatewayPriority ?? 0,
    };
  }

  hold({ address, address6 }: Endpoint): void {
    this.#pools.get(4)?.hold(address);
    if (address6 !== undefined) this.#pools.get(6)?.hold(address6);
  }

  free({ address, address6 }: Endpoint): void {
    this.#pools.get(4)?.free(address);
    if (address6 !== undefined) this.#pools.get(6)?.free(address6);
  }

  link(endpoint: Endpoint): LinkPlan {
    const { driver, hostInterface, options } = this.record;
    const mtu = Number(options["com.docker.network.driver.mtu"] ?? "") || undefined;
    return {
      interface: endpoint.interface,
      mac: endpoint.mac,
      addresses: [
        { address: endpoint.address, prefix: endpoint.prefixLength },
        ...(endpoint.address6 === undefined
          ? []
          : [{ address: endpoint.address6, prefix: endpoint.prefixLength6 ?? 64 }]),
      ],
      to:
        driver === "bridge"
          ? {
              kind: "bridge",
              bridge: hostInterface,
              hostInterface: endpoint.hostInterface,
              ...(mtu === undefined ? {} : { mtu }),
            }
          : { kind: driver, parent: hostInterface, mode: modeOf(driver, options) },
    };
  }

  /** The bridge's own addresses. */
  gateways(): PrefixedAddress[] {
    return this.record.subnets.map(({ subnet, gateway }) => ({
      address: gateway,
      prefix: parseSubnet(subnet)?.prefix ?? 0,
    }));
  }

  /** undefined for what is no bridge, or not made yet. */
  facts(): BridgeFacts | undefined {
    const { subnets, hostInterface: bridge, internal, options, driver } = this.record;
    const four = subnets.find(({ subnet }) => familyOf(subnet) === 4);
    const six = subnets.find(({ subnet }) => familyOf(subnet) === 6);
    if (four === undefined || driver !== "bridge") return undefined;
    return {
      bridge,
      subnet: four.subnet,
      gateway: four.gateway,
      ...(six === undefined ? {} : { subnet6: six.subnet }),
      internal,
      talk: options["com.docker.network.bridge.enable_icc"] !== "false",
      masquerade: options["com.docker.network.bridge.enable_ip_masquerade"] !== "false",
    };
  }
}

function take(pool: AddressPool, asked: string | undefined): string {
  return asked === undefined || asked === "" ? pool.take() : pool.claim(asked);
}

function noIPv6(network: string, address: string): GantryError {
  return new GantryError("invalid", {
    doing: "give the container the address",
    on: address,
    because: `the network ${network} has no IPv6`,
    next: "Make the network with --ipv6.",
  });
}
