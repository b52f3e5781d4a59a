import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "#base/core/clock.ts";
import { GantryError } from "#base/core/errors.ts";
import type { Random } from "#base/core/random.ts";
import type { WorkerPool } from "#base/system/pool/contract.ts";
import {
  defaultNetwork,
  type Endpoint,
  type EndpointRequest,
  egressOption,
  type HeldLease,
  type LeaseRequest,
  type NetworkLease,
  type PortMapping,
  type PublishedPort,
} from "./contract.ts";
import { type EgressList, parseEgress, requireWithin } from "./egress.ts";
import type { EgressBook } from "./egress-book.ts";
import { byPriority, entryOf, type Held, routesOf } from "./held.ts";
import { HeldPorts } from "./held-ports.ts";
import type { LiveNetwork } from "./live-network.ts";
import type { NameTable } from "./names.ts";
import type { PortKeeper } from "./port-keeper.ts";
import { ReadyPool } from "./ready-pool.ts";
import type { RuleWriter } from "./rule-writer.ts";
import { addLinks, dropNamespaces, makeNamespace, removeLink } from "./tasks.ts";

export interface LeaseBookOptions {
  readonly folder: string;
  readonly kernel: WorkerPool;
  readonly table: string;
  readonly random: Random;
  readonly ready: number;
  readonly names: NameTable;
  readonly writer: RuleWriter;
  readonly egress: EgressBook;
  readonly clock: Clock;
  readonly ports: PortKeeper;
  readonly find: (name: string) => LiveNetwork;
  /** The default network stands for one that is not known any more. */
  readonly byId: (id: string) => LiveNetwork;
  readonly up: (network: LiveNetwork) => Promise<void>;
  readonly isDefault: (network: LiveNetwork) => boolean;
}

interface Ready {
  readonly pin: string;
  readonly endpoint?: Endpoint;
}

/** Who holds which namespace, interfaces and ports. */
export class LeaseBook {
  readonly #options: LeaseBookOptions;
  readonly #held = new Map<string, Held>();
  readonly #ports: HeldPorts;
  readonly #isolated: ReadyPool<Ready>;
  readonly #bridged: ReadyPool<Ready>;

  constructor(options: LeaseBookOptions) {
    this.#options = options;
    this.#ports = new HeldPorts(options.table, options.writer, options.ports);
    this.#isolated = new ReadyPool(options.ready, () => this.#makeIsolated());
    this.#bridged = new ReadyPool(options.ready, () => this.#makeBridged());
  }

  warm(): void {
    this.#bridged.warm();
    this.#isolated.warm();
  }

  async lease(
    owner: string,
    { endpoints: requests, ports = [], names = [], dns = [], egress }: LeaseRequest,
  ): Promise<NetworkLease> {
    const { kernel } = this.#options;
    const held = await this.#begin(requests);
    held.names = names;
    held.egress = egress;
    this.#held.set(owner, held);
    try {
      this.#options.names.servers(owner, dns);
      if (held.endpoints.length === 0 && requests.length > 0) {
        for (const request of requests) this.#allocate(owner, held, request);
        const links = held.endpoints.map((endpoint) => this.#options.byId(endpoint.network).link(endpoint));
        await kernel.run(addLinks, { pin: held.namespace, links, routes: routesOf(held.endpoints) });
      }
      this.#enlist(owner, held);
      for (const endpoint of held.endpoints) await this.#restrict(owner, held, endpoint);
      await this.#ports.add(held, ports);
      return this.#leaseOf(held);
    } catch (error) {
      await this.release(owner);
      throw error;
    }
  }

  async connect(owner: string, request: EndpointRequest): Promise<NetworkLease> {
    const held = this.#mustHold(owner);
    const network = this.#options.find(request.network);
    if (network.members.has(owner)) {
      throw new GantryError("conflict", {
        doing: "connect to the network",
        on: network.record.name,
        because: `endpoint already exists in network ${network.record.name}`,
      });
    }
    await this.#options.up(network);
    const endpoint = this.#allocate(owner, held, request);
    try {
      await this.#options.kernel.run(addLinks, {
        pin: held.namespace,
        links: [network.link(endpoint)],
        routes: routesOf(held.endpoints),
      });
    } catch (error) {
      this.#giveBack(owner, held, endpoint);
      throw error;
    }
    this.#enlist(owner, held);
    await this.#restrict(owner, held, endpoint);
    return this.#leaseOf(held);
  }

  async disconnect(owner: string, network: LiveNetwork): Promise<NetworkLease> {
    const held = this.#mustHold(owner);
    const endpoint = held.endpoints.find((one) => one.network === network.record.id);
    if (endpoint === undefined) {
      throw new GantryError("not-found", {
        doing: "disconnect from the network",
        on: network.record.name,
        because: `container is not connected to network ${network.record.name}`,
      });
    }
    const before = entryOf(held.endpoints);
    await this.#options.egress.release(owner, endpoint.network);
    this.#giveBack(owner, held, endpoint);
    if (before?.id === endpoint.id) await this.#ports.move(held, before);
    await this.#options.kernel.run(removeLink, {
      pin: held.namespace,
      interface: endpoint.interface,
      routes: routesOf(held.endpoints),
    });
    return this.#leaseOf(held);
  }

  async publish(owner: string, port: PortMapping): Promise<NetworkLease> {
    const held = this.#mustHold(owner);
    await this.#ports.add(held, [port]);
    return this.#leaseOf(held);
  }

  async unpublish(owner: string, port: PublishedPort): Promise<NetworkLease> {
    const held = this.#mustHold(owner);
    await this.#ports.remove(held, port);
    return this.#leaseOf(held);
  }

  rename(owner: string, names: readonly string[]): void {
    const held = this.#held.get(owner);
    if (held === undefined) return;
    held.names = names;
    for (const endpoint of held.endpoints) this.#options.names.join(owner, endpoint, [...names, ...endpoint.aliases]);
  }

  async release(owner: string): Promise<void> {
    const held = this.#held.get(owner);
    if (held === undefined) return;
    this.#held.delete(owner);
    const { kernel, names } = this.#options;
    await this.#ports.release(held);
    names.servers(owner, []);
    await kernel.run(dropNamespaces, { pins: [held.namespace] });
    for (const endpoint of [...held.endpoints]) {
      await this.#options.egress.release(owner, endpoint.network);
      this.#giveBack(owner, held, endpoint);
    }
  }

  async adopt(held: ReadonlyMap<string, HeldLease>): Promise<void> {
    for (const [owner, { lease, names, dns, egress }] of held) {
      // One of an older engine does not say in which network it is: there was only one.
      const endpoints = lease.endpoints.map((endpoint) => ({
        ...endpoint,
        network: this.#options.byId(endpoint.network).record.id,
      }));
      const ports = await Promise.all(lease.ports.map((port) => this.#options.ports.holdAgain(port)));
      const entry: Held = { namespace: lease.namespace, endpoints, ports, names, egress };
      this.#held.set(owner, entry);
      this.#options.names.servers(owner, dns);
      for (const endpoint of endpoints) {
        const network = this.#options.byId(endpoint.network);
        network.hold(endpoint);
        network.members.set(owner, endpoint);
        this.#options.names.join(owner, endpoint, [...names, ...endpoint.aliases]);
        const list = this.#listFor(network, egress);
        if (list !== undefined) this.#options.egress.hold(owner, endpoint, list);
      }
    }
    await this.#options.ports.closeOthers();
    const kept = new Set([...held.values()].map(({ lease }) => lease.namespace));
    const strangers = pinsIn(this.#options.folder).filter((pin) => !kept.has(pin));
    if (strangers.length > 0) await this.#options.kernel.run(dropNamespaces, { pins: strangers });
  }

  /** For the tables made anew: every published port and every list of ways out. */
  rules(): string {
    const ports = [...this.#held.values()].map((held) => this.#ports.rules(held));
    return [...ports, this.#options.egress.rules(this.#options.clock.now())].join("");
  }

  /** Drops what is only ready; with `all` also what is held. */
  async close(all: boolean): Promise<void> {
    const ready = [...(await this.#isolated.close()), ...(await this.#bridged.close())];
    if (ready.length > 0) await this.#options.kernel.run(dropNamespaces, { pins: ready.map(({ pin }) => pin) });
    for (const owner of all ? [...this.#held.keys()] : []) await this.release(owner);
    for (const { ports } of this.#held.values()) this.#options.ports.leave(ports);
    this.#held.clear();
  }

  /** One plain wish for the default network is served from the pool. */
  #isReady(requests: readonly EndpointRequest[]): boolean {
    const [only] = requests;
    if (only === undefined || requests.length > 1) return false;
    const plain = [only.address, only.address6, only.mac, only.interfaceName].every((part) => part === undefined);
    return plain && this.#options.isDefault(this.#options.find(only.network));
  }

  async #begin(requests: readonly EndpointRequest[]): Promise<Held> {
    if (this.#isReady(requests)) {
      const { pin, endpoint } = await this.#bridged.take();
      const own = endpoint === undefined ? [] : [{ ...endpoint, aliases: requests[0]?.aliases ?? [] }];
      return { namespace: pin, endpoints: own, ports: [], names: [], egress: undefined };
    }
    const networks = requests.map(({ network }) => this.#options.find(network));
    const twice = networks.find((network, at) => networks.indexOf(network) !== at);
    if (twice !== undefined) {
      throw new GantryError("invalid", {
        doing: "connect to the network",
        on: twice.record.name,
        because: "it is named twice",
      });
    }
    await Promise.all(networks.map((network) => this.#options.up(network)));
    const { pin } = await this.#isolated.take();
    return { namespace: pin, endpoints: [], ports: [], names: [], egress: undefined };
  }

  #allocate(owner: string, held: Held, request: EndpointRequest): Endpoint {
    const network = this.#options.find(request.network);
    const taken = new Set(held.endpoints.map((endpoint) => endpoint.interface));
    let number = 0;
    while (taken.has(`eth${number}`)) number += 1;
    const name = request.interfaceName ?? `eth${number}`;
    if (taken.has(name) || !/^[a-zA-Z0-9_.-]{1,15}$/.test(name)) {
      throw new GantryError("invalid", {
        doing: "name the interface",
        on: name,
        because: taken.has(name) ? "another has that name" : "it is no name of an interface",
      });
    }
    const endpoint = network.allocate(request, name, this.#options.random);
    held.endpoints = [...held.endpoints, endpoint];
    network.members.set(owner, endpoint);
    return endpoint;
  }

  #enlist(owner: string, held: Held): void {
    for (const endpoint of held.endpoints) {
      this.#options.byId(endpoint.network).members.set(owner, endpoint);
      this.#options.names.join(owner, endpoint, [...held.names, ...endpoint.aliases]);
    }
  }

  #giveBack(owner: string, held: Held, endpoint: Endpoint): void {
    const network = this.#options.byId(endpoint.network);
    held.endpoints = held.endpoints.filter((one) => one !== endpoint);
    network.members.delete(owner);
    network.free(endpoint);
    this.#options.names.leave(owner, endpoint.network);
  }

  /** Before the first packet can leave by this interface: its process does not run yet, or it was not there yet. */
  async #restrict(owner: string, held: Held, endpoint: Endpoint): Promise<void> {
    const list = this.#listFor(this.#options.byId(endpoint.network), held.egress);
    if (list !== undefined) await this.#options.egress.restrict(owner, endpoint, list);
  }

  /** The container's own list inside its network's, or whichever there is. Error "denied" when it is not inside. */
  #listFor({ record }: LiveNetwork, own: readonly string[] | undefined): EgressList | undefined {
    const text = record.options[egressOption];
    const network = text === undefined ? undefined : parseEgress(text.split(","));
    if (own === undefined) return network;
    const list = parseEgress(own);
    if (network !== undefined) requireWithin(list, network, record.name);
    return list;
  }

  #leaseOf({ namespace, endpoints, ports }: Held): NetworkLease {
    const giver = byPriority(endpoints)
      .map(({ network }) => this.#options.byId(network))
      .find((network) => network.record.driver === "bridge" && !this.#options.isDefault(network));
    const server = giver?.facts()?.gateway;
    return {
      namespace,
      endpoints,
      ports: ports.map(({ port }) => port),
      ...(server === undefined ? {} : { nameServer: server }),
    };
  }

  #mustHold(owner: string): Held {
    const held = this.#held.get(owner);
    if (held !== undefined) return held;
    throw new GantryError("conflict", {
      doing: "change the network of the container",
      on: owner.slice(0, 12),
      because: "it has no network namespace of its own",
      next: "Only a running container in networks of its own can be changed.",
    });
  }

  async #makeIsolated(): Promise<Ready> {
    return { pin: await this.#make([]) };
  }

  async #makeBridged(): Promise<Ready> {
    const network = this.#options.find(defaultNetwork);
    await this.#options.up(network);
    const endpoint = network.allocate({}, "eth0", this.#options.random);
    try {
      return { pin: await this.#make([endpoint]), endpoint };
    } catch (error) {
      network.free(endpoint);
      throw error;
    }
  }

  async #make(endpoints: readonly Endpoint[]): Promise<string> {
    const pin = join(this.#options.folder, this.#options.random.hex(8));
    const links = endpoints.map((endpoint) => this.#options.byId(endpoint.network).link(endpoint));
    await this.#options.kernel.run(makeNamespace, { pin, links, routes: routesOf(endpoints) });
    return pin;
  }
}

function pinsIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return []; // None was ever made.
  }
}
