import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import { type Random, systemRandom } from "#base/core/random.ts";
import { applyRules } from "#base/system/nftables/nft.ts";
import type { WorkerPool } from "#base/system/pool/contract.ts";
import { type BoundPort, bindPort } from "#base/system/sockets/bound-port.ts";
import type { Endpoint, NetworkLease, Networks, PortMapping, PublishedPort } from "./contract.ts";
import { ReadyPool } from "./ready-pool.ts";
import { baseRules, portRules } from "./rules.ts";
import { AddressPool, isAddress, macOf, type Subnet, toNumber, toText } from "./subnet.ts";
import { dropNamespaces, makeNamespace, removeBridge, setUpBridge } from "./tasks.ts";

export interface NetworksOptions {
  /** Namespaces are pinned in `<run>/netns`. */
  readonly run: string;
  readonly kernel: WorkerPool;
  /** At most 15 letters; default "gantry0". */
  readonly bridge?: string;
  /** The nftables table; default "gantry". */
  readonly table?: string;
  /** Default: one that clashes with no route of the host; a bridge that exists keeps its own. */
  readonly subnet?: Subnet;
  /** How many ready namespaces of each kind are kept; default 4. */
  readonly ready?: number;
  readonly random?: Random;
}

export function openNetworks(options: NetworksOptions): Networks {
  return new BridgeNetworks(options);
}

interface Ready {
  readonly pin: string;
  readonly endpoint?: Endpoint;
}

interface Held {
  readonly lease: NetworkLease;
  readonly bound: readonly BoundPort[];
}

interface Bridge {
  readonly addresses: AddressPool;
}

class BridgeNetworks implements Networks {
  readonly #kernel: WorkerPool;
  readonly #folder: string;
  readonly #marker: string;
  readonly #names: { readonly bridge: string; readonly table: string };
  readonly #wanted: Subnet | undefined;
  readonly #random: Random;
  readonly #held = new Map<string, Held>();
  readonly #isolated: ReadyPool<Ready>;
  readonly #bridged: ReadyPool<Ready>;
  #bridge: Promise<Bridge> | undefined;

  constructor(options: NetworksOptions) {
    this.#kernel = options.kernel;
    this.#folder = join(options.run, "netns");
    this.#marker = join(options.run, "enabled-forwarding");
    this.#names = { bridge: options.bridge ?? "gantry0", table: options.table ?? "gantry" };
    this.#wanted = options.subnet;
    this.#random = options.random ?? systemRandom;
    const ready = options.ready ?? 4;
    this.#isolated = new ReadyPool(ready, () => this.#make(undefined));
    this.#bridged = new ReadyPool(ready, () => this.#makeBridged());
  }

  async isolated(owner: string): Promise<NetworkLease> {
    const { pin } = await this.#isolated.take();
    return this.#hold(owner, { namespace: pin, ports: [] }, []);
  }

  async bridged(owner: string, mappings: readonly PortMapping[]): Promise<NetworkLease> {
    const bound: BoundPort[] = [];
    try {
      const ports = mappings.map((mapping) => publish(mapping, bound));
      const { pin, endpoint } = await this.#bridged.take();
      if (endpoint === undefined) throw new Error("a bridged namespace has an endpoint");
      const lease = this.#hold(owner, { namespace: pin, endpoint, ports }, bound);
      // A container that publishes nothing costs no nft.
      if (ports.length > 0) await applyRules(portRules("add", this.#names, endpoint, ports));
      return lease;
    } catch (error) {
      for (const port of bound) port[Symbol.dispose]();
      await this.release(owner);
      throw error;
    }
  }

  warm(): void {
    this.#bridged.warm();
    this.#isolated.warm();
  }

  async release(owner: string): Promise<void> {
    const held = this.#held.get(owner);
    if (held === undefined) return;
    this.#held.delete(owner);
    const { namespace, endpoint, ports } = held.lease;
    if (endpoint !== undefined && ports.length > 0) {
      await applyRules(portRules("delete", this.#names, endpoint, ports)).catch(() => undefined);
    }
    for (const port of held.bound) port[Symbol.dispose]();
    await this.#kernel.run(dropNamespaces, { pins: [namespace] });
    if (endpoint !== undefined) (await this.#bridge)?.addresses.free(endpoint.address);
  }

  async adopt(held: ReadonlyMap<string, NetworkLease>): Promise<void> {
    for (const [owner, lease] of held) {
      const bound: BoundPort[] = [];
      for (const { protocol, hostAddress, hostPort } of lease.ports) {
        const port = holdIfFree(protocol, hostAddress, hostPort);
        if (port !== undefined) bound.push(port);
      }
      this.#held.set(owner, { lease, bound });
    }
    const kept = new Set([...held.values()].map((lease) => lease.namespace));
    const strangers = pinsIn(this.#folder).filter((pin) => !kept.has(pin));
    if (strangers.length > 0) await this.#kernel.run(dropNamespaces, { pins: strangers });
    const endpoints = [...held.values()].filter((lease) => lease.endpoint !== undefined);
    if (endpoints.length > 0) await this.#bridgeUp();
  }

  async dismantle(): Promise<void> {
    await Promise.all([this.#isolated.close(), this.#bridged.close()]);
    for (const owner of [...this.#held.keys()]) await this.release(owner);
    await applyRules(`table ip ${this.#names.table} {}\ndelete table ip ${this.#names.table}\n`);
    await this.#kernel.run(removeBridge, {
      bridge: this.#names.bridge,
      folder: this.#folder,
      disableForwarding: await Bun.file(this.#marker).exists(),
    });
    rmSync(this.#marker, { force: true });
    this.#bridge = undefined;
  }

  /** Containers keep their namespaces; those that are only ready go. */
  async [Symbol.asyncDispose](): Promise<void> {
    const ready = [...(await this.#isolated.close()), ...(await this.#bridged.close())];
    if (ready.length > 0) await this.#kernel.run(dropNamespaces, { pins: ready.map(({ pin }) => pin) });
    for (const { bound } of this.#held.values()) for (const port of bound) port[Symbol.dispose]();
    this.#held.clear();
  }

  #hold(owner: string, lease: NetworkLease, bound: readonly BoundPort[]): NetworkLease {
    this.#held.set(owner, { lease, bound });
    return lease;
  }

  #bridgeUp(): Promise<Bridge> {
    this.#bridge ??= this.#setUp().catch((error: unknown) => {
      this.#bridge = undefined;
      throw error;
    });
    return this.#bridge;
  }

  async #setUp(): Promise<Bridge> {
    const { subnet, enabledForwarding } = await this.#kernel.run(setUpBridge, {
      bridge: this.#names.bridge,
      ...(this.#wanted === undefined ? {} : { wanted: this.#wanted }),
    });
    if (enabledForwarding) writeFileSync(this.#marker, "");
    const addresses = new AddressPool(subnet);
    const held = [...this.#held.values()].map(({ lease }) => lease);
    for (const { endpoint } of held) if (endpoint !== undefined) addresses.hold(endpoint.address);
    const size = 2 ** (32 - subnet.prefix);
    const network = toText(Math.floor(toNumber(subnet.address) / size) * size);
    const elements = held.flatMap(({ endpoint, ports }) =>
      endpoint === undefined ? [] : [portRules("add", this.#names, endpoint, ports)],
    );
    await applyRules([baseRules({ ...this.#names, subnet: `${network}/${subnet.prefix}` }), ...elements].join(""));
    return { addresses };
  }

  async #makeBridged(): Promise<Ready> {
    const { addresses } = await this.#bridgeUp();
    const address = addresses.take();
    try {
      return await this.#make({
        address,
        prefixLength: addresses.prefix,
        gateway: addresses.gateway,
        mac: macOf(address),
        hostInterface: `gv${this.#random.hex(5)}`,
      });
    } catch (error) {
      addresses.free(address);
      throw error;
    }
  }

  async #make(endpoint: Endpoint | undefined): Promise<Ready> {
    const pin = join(this.#folder, this.#random.hex(8));
    const { bridge } = this.#names;
    await this.#kernel.run(makeNamespace, { pin, bridge, ...(endpoint === undefined ? {} : { endpoint }) });
    return { pin, ...(endpoint === undefined ? {} : { endpoint }) };
  }
}

function publish(mapping: PortMapping, bound: BoundPort[]): PublishedPort {
  const { protocol, containerPort, hostAddress = "127.0.0.1", hostPort = 0 } = mapping;
  const isPort = (value: number, least: number) => Number.isInteger(value) && value >= least && value <= 65_535;
  if (!isAddress(hostAddress) || !isPort(containerPort, 1) || !isPort(hostPort, 0)) {
    throw new GantryError("invalid", {
      doing: "publish the port",
      on: `${hostAddress}:${hostPort}:${containerPort}/${protocol}`,
      because: "it is no IPv4 address with ports from 1 to 65535",
    });
  }
  const port = bindPort(protocol, hostAddress, hostPort);
  bound.push(port);
  return { protocol, containerPort, hostAddress, hostPort: port.port };
}

/** undefined when it was taken while no engine lived; the kernel's map still steers its packets. */
function holdIfFree(protocol: PublishedPort["protocol"], address: string, port: number): BoundPort | undefined {
  try {
    return bindPort(protocol, address, port);
  } catch {
    return undefined;
  }
}

function pinsIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return []; // None was ever made.
  }
}
