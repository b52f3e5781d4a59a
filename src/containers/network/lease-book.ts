import { readdirSync } from "node:fs";
import { join } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import type { Random } from "#base/core/random.ts";
import type { WorkerPool } from "#base/system/pool/contract.ts";
import {
  defaultNetwork,
  type Endpoint,
  type EndpointRequest,
  type HeldLease,
  type LeaseRequest,
  type NetworkLease,
  type PortMapping,
  type PublishedPort,
} from "./contract.ts";
import type { LiveNetwork } from "./live-network.ts";
import type { NameTable } from "./names.ts";
import type { HeldPort, PortKeeper } from "./port-keeper.ts";
import { samePort } from "./ports.ts";
import { ReadyPool } from "./ready-pool.ts";
import type { RuleWriter } from "./rule-writer.ts";
import { portRules } from "./rules.ts";
import { addLinks, dropNamespaces, makeNamespace, type RoutePlan, removeLink } from "./tasks.ts";

export interface LeaseBookOptions {
  readonly folder: string;
  readonly kernel: WorkerPool;
  readonly table: string;
  readonly random: Random;
  readonly ready: number;
  readonly names: NameTable;
  readonly writer: RuleWriter;
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

interface Held {
  readonly namespace: string;
  endpoints: readonly Endpoint[];
  ports: readonly HeldPort[];
  names: readonly string[];
}

/** Who holds which namespace, interfaces and ports. */
export class LeaseBook {
  readonly #options: LeaseBookOptions;
  readonly #held = new Map<string, Held>();
  readonly #isolated: ReadyPool<Ready>;
  readonly #bridged: ReadyPool<Ready>;

  constructor(options: LeaseBookOptions) {
    this.#options = options;
    this.#isolated = new ReadyPool(options.ready, () => this.#makeIsolated());
    this.#bridged = new ReadyPool(options.ready, () => this.#makeBridged());
  }

  warm(): void {
    this.#bridged.warm();
    this.#isolated.warm();
  }

  async lease(
    owner: string,
    { endpoints: requests, ports = [], names = [], dns = [] }: LeaseRequest,
  ): Promise<NetworkLease> {
    const { kernel } = this.#options;
    const held = await this.#begin(requests);
    held.names = names;
    this.#held.set(owner, held);
    try {
      this.#options.names.servers(owner, dns);
      if (held.endpoints.length === 0 && requests.length > 0) {
        for (const request of requests) this.#allocate(owner, held, request);
        const links = held.endpoints.map((endpoint) => this.#options.byId(endpoint.network).link(endpoint));
        await kernel.run(addLinks, { pin: held.namespace, links, routes: routesOf(held.endpoints) });
      }
      this.#enlist(owner, held);
      if (ports.length > 0) await this.#addPorts(held, ports);
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
    this.#giveBack(owner, held, endpoint);
    if (before?.id === endpoint.id) await this.#movePorts(held, before);
    await this.#options.kernel.run(removeLink, {
      pin: held.namespace,
      interface: endpoint.interface,
      routes: routesOf(held.endpoints),
    });
    return this.#leaseOf(held);
  }

  async publish(owner: string, port: PortMapping): Promise<NetworkLease> {
    const held = this.#mustHold(owner);
    await this.#addPorts(held, [port]);
    return this.#leaseOf(held);
  }

  async unpublish(owner: string, port: PublishedPort): Promise<NetworkLease> {
    const held = this.#mustHold(owner);
    const gone = held.ports.filter((one) => samePort(one.port, port));
    const entry = entryOf(held.endpoints);
    if (gone.length === 0 || entry === undefined) {
      throw new GantryError("not-found", {
        doing: "take back the published port",
        on: `${port.hostAddress}:${port.hostPort}`,
        because: "it is not published",
      });
    }
    await this.#options.writer.change(portRules("delete", this.#options.table, entry, insides(gone)));
    await this.#options.ports.letGo(gone);
    held.ports = held.ports.filter((one) => !gone.includes(one));
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
    const entry = entryOf(held.endpoints);
    const { table, kernel, names } = this.#options;
    if (entry !== undefined && held.ports.length > 0) {
      const ports = insides(held.ports);
      // After a flush by somebody else there is nothing to delete; what counts is that they are gone.
      await this.#options.writer.change(portRules("delete", table, entry, ports)).catch(() => undefined);
    }
    await this.#options.ports.letGo(held.ports);
    names.servers(owner, []);
    await kernel.run(dropNamespaces, { pins: [held.namespace] });
    for (const endpoint of [...held.endpoints]) this.#giveBack(owner, held, endpoint);
  }

  async adopt(held: ReadonlyMap<string, HeldLease>): Promise<void> {
    for (const [owner, { lease, names, dns }] of held) {
      // One of an older engine does not say in which network it is: there was only one.
      const endpoints = lease.endpoints.map((endpoint) => ({
        ...endpoint,
        network: this.#options.byId(endpoint.network).record.id,
      }));
      const ports = await Promise.all(lease.ports.map((port) => this.#options.ports.holdAgain(port)));
      const entry: Held = { namespace: lease.namespace, endpoints, ports, names };
      this.#held.set(owner, entry);
      this.#options.names.servers(owner, dns);
      for (const endpoint of endpoints) {
        const network = this.#options.byId(endpoint.network);
        network.hold(endpoint);
        network.members.set(owner, endpoint);
        this.#options.names.join(owner, endpoint, [...names, ...endpoint.aliases]);
      }
    }
    await this.#options.ports.closeOthers();
    const kept = new Set([...held.values()].map(({ lease }) => lease.namespace));
    const strangers = pinsIn(this.#options.folder).filter((pin) => !kept.has(pin));
    if (strangers.length > 0) await this.#options.kernel.run(dropNamespaces, { pins: strangers });
  }

  /** For the tables made anew: every published port. */
  portRules(): string {
    return [...this.#held.values()]
      .flatMap(({ endpoints, ports }) => {
        const entry = entryOf(endpoints);
        return entry === undefined ? [] : [portRules("add", this.#options.table, entry, insides(ports))];
      })
      .join("");
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
      return { namespace: pin, endpoints: own, ports: [], names: [] };
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
    return { namespace: pin, endpoints: [], ports: [], names: [] };
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

  async #addPorts(held: Held, mappings: readonly PortMapping[]): Promise<void> {
    const entry = entryOf(held.endpoints);
    const taken: HeldPort[] = [];
    try {
      for (const mapping of mappings) taken.push(await this.#options.ports.hold(mapping, entry));
      // A container that publishes nothing costs no nft.
      if (entry !== undefined)
        await this.#options.writer.change(portRules("add", this.#options.table, entry, insides(taken)));
    } catch (error) {
      await this.#options.ports.letGo(taken);
      throw error;
    }
    held.ports = [...held.ports, ...taken];
  }

  /** The network they came in by is gone: by the next one, or not at all. */
  async #movePorts(held: Held, before: Endpoint): Promise<void> {
    if (held.ports.length === 0) return;
    const ports = insides(held.ports);
    const entry = entryOf(held.endpoints);
    const { table } = this.#options;
    const added = entry === undefined ? "" : portRules("add", table, entry, ports);
    await this.#options.writer.change(portRules("delete", table, before, ports) + added);
    if (entry !== undefined) return;
    await this.#options.ports.letGo(held.ports);
    held.ports = [];
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

function insides(ports: readonly HeldPort[]): readonly PublishedPort[] {
  return ports.map(({ inside }) => inside);
}

/** The highest priority first; among equals the order of the interfaces. */
function byPriority(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  return endpoints.toSorted((a, b) => b.gatewayPriority - a.gatewayPriority);
}

/** By which interface published ports come in: a bridge with a way out. */
function entryOf(endpoints: readonly Endpoint[]): Endpoint | undefined {
  return byPriority(endpoints).find(({ hostInterface, gateway }) => hostInterface !== "" && gateway !== "");
}

function routesOf(endpoints: readonly Endpoint[]): RoutePlan {
  const ordered = byPriority(endpoints);
  const four = ordered.find(({ gateway }) => gateway !== "");
  const six = ordered.find(({ gateway6 = "" }) => gateway6 !== "");
  return {
    gateways: [
      ...(four === undefined ? [] : [{ gateway: four.gateway, interface: four.interface }]),
      ...(six?.gateway6 === undefined ? [] : [{ gateway: six.gateway6, interface: six.interface }]),
    ],
  };
}

function pinsIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return []; // None was ever made.
  }
}
