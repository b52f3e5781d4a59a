import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Clock, systemClock } from "#base/core/clock.ts";
import { GantryError } from "#base/core/errors.ts";
import { type Random, systemRandom } from "#base/core/random.ts";
import type { Database } from "#base/system/database/contract.ts";
import { migrate } from "#base/system/database/migrate.ts";
import type { OutsidePorts } from "#base/system/holder/outside-ports.ts";
import { listRules } from "#base/system/nftables/nft.ts";
import type { WorkerPool } from "#base/system/pool/contract.ts";
import {
  defaultNetwork,
  type EndpointRequest,
  type HeldLease,
  type LeaseRequest,
  type NetworkLease,
  type NetworkRecord,
  type NetworkSpec,
  type Networks,
  type PortMapping,
  type PublishedPort,
} from "./contract.ts";
import { type DnsServer, openDnsServer } from "./dns-server.ts";
import { EgressBook } from "./egress-book.ts";
import { LeaseBook } from "./lease-book.ts";
import { LiveNetwork } from "./live-network.ts";
import { NameTable } from "./names.ts";
import { NetworkTable, networkSchema } from "./network-table.ts";
import { newRecord } from "./new-network.ts";
import { outsideKeeper } from "./outside-keeper.ts";
import { machinePorts } from "./ports.ts";
import { RuleWriter } from "./rule-writer.ts";
import { baseRules, bridgeRules } from "./rules.ts";
import { chooseSubnet, parseSubnet, subnetText } from "./subnet.ts";
import { clearHost, lookAtHost, removeBridge, setUpBridge } from "./tasks.ts";

export interface NetworksOptions {
  /** Namespaces are pinned in `<run>/netns`. */
  readonly run: string;
  readonly database: Database;
  readonly kernel: WorkerPool;
  /** The default network's bridge, at most 15 letters; default "gantry0". */
  readonly bridge?: string;
  /** The nftables tables; default "gantry". */
  readonly table?: string;
  /** Default: one that clashes with no route of the host; a bridge that exists keeps its own. */
  readonly subnet?: string;
  /** How many ready namespaces of each kind are kept; default 4. */
  readonly ready?: number;
  /** The machine's ports, where this process's own network is not the machine's. */
  readonly outside?: OutsidePorts;
  readonly clock?: Clock;
  /** Tells when somebody deleted tables; without it rules that are flushed stay away until the next start. */
  readonly watchTables?: (onDeleted: (names: readonly string[]) => void) => void;
  readonly onError?: (error: unknown, what: string) => void;
  readonly random?: Random;
}

/** Their packets would pass by the rules that keep the machine's loopback from containers, and reach no wire anyway. */
function refuseSharedLinks({ name, driver }: NetworkSpec): void {
  if (driver === undefined || driver === "bridge") return;
  throw new GantryError("unsupported", {
    doing: "make the network",
    on: name,
    because: `${driver} shares an interface of the machine, and a user's engine has none`,
    next: "Use a bridge network, or run the engine as root.",
  });
}

export function openNetworks(options: NetworksOptions): Networks {
  return new NetworkSet(options);
}

class NetworkSet implements Networks {
  readonly #options: NetworksOptions;
  readonly #kernel: WorkerPool;
  readonly #table: string;
  readonly #marker: string;
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #rows: NetworkTable;
  readonly #live = new Map<string, LiveNetwork>();
  readonly #names = new NameTable();
  readonly #writer = new RuleWriter(() => this.#allRules());
  readonly #egress: EgressBook;
  readonly #book: LeaseBook;
  #dns: DnsServer | undefined;
  #watching = false;
  #rules: { readonly names: boolean; readonly set: Promise<void> } | undefined;

  constructor(options: NetworksOptions) {
    this.#options = options;
    this.#kernel = options.kernel;
    this.#table = options.table ?? "gantry";
    this.#egress = new EgressBook(this.#table, this.#writer);
    this.#marker = join(options.run, "enabled-forwarding");
    this.#random = options.random ?? systemRandom;
    this.#clock = options.clock ?? systemClock;
    migrate(options.database, "networks", networkSchema);
    this.#rows = new NetworkTable(options.database);
    for (const record of this.#rows.all()) this.#add(record);
    if (!this.list().some(({ name }) => name === defaultNetwork)) this.#makeDefault();
    this.#book = new LeaseBook({
      folder: join(options.run, "netns"),
      kernel: this.#kernel,
      table: this.#table,
      random: this.#random,
      ready: options.ready ?? 4,
      names: this.#names,
      writer: this.#writer,
      egress: this.#egress,
      clock: this.#clock,
      ports: options.outside === undefined ? machinePorts : outsideKeeper(options.outside),
      find: (name) => this.#find(name),
      byId: (id) => this.#live.get(id) ?? this.#find(defaultNetwork),
      up: (network) => this.#up(network),
      isDefault: ({ record }) => record.name === defaultNetwork,
    });
  }

  list(): readonly NetworkRecord[] {
    return [...this.#live.values()].map(({ record }) => record);
  }

  get(name: string): NetworkRecord {
    return this.#find(name).record;
  }

  async create(spec: NetworkSpec): Promise<NetworkRecord> {
    if (this.#options.outside !== undefined) refuseSharedLinks(spec);
    const { used } = await this.#kernel.run(lookAtHost, { bridge: "" });
    const record = newRecord(spec, {
      id: this.#random.hex(32),
      created: this.#clock.now(),
      others: this.list(),
      used: used.flatMap(({ address, prefix }) => parseSubnet(`${address}/${prefix}`) ?? []),
    });
    const network = this.#add(record);
    try {
      await this.#up(network);
      this.#rows.put(record);
    } catch (error) {
      await this.#takeDown(network);
      throw error;
    }
    return record;
  }

  async remove(name: string): Promise<void> {
    const network = this.#find(name);
    const { record, members } = network;
    if (record.name === defaultNetwork) {
      throw new GantryError("denied", {
        doing: "remove the network",
        on: name,
        because: `${name} is a pre-defined network and cannot be removed`,
      });
    }
    if (members.size > 0) {
      throw new GantryError("conflict", {
        doing: "remove the network",
        on: record.name,
        because: `network ${record.name} has active endpoints: ${members.size} containers are in it`,
        next: "Stop them, or take them out with: gantry network disconnect",
      });
    }
    this.#rows.delete(record.id);
    await this.#takeDown(network);
  }

  members(id: string) {
    return [...(this.#live.get(id)?.members ?? [])].map(([owner, endpoint]) => ({ owner, endpoint }));
  }

  lease(owner: string, request: LeaseRequest): Promise<NetworkLease> {
    return this.#book.lease(owner, request);
  }

  connect(owner: string, request: EndpointRequest): Promise<NetworkLease> {
    return this.#book.connect(owner, request);
  }

  disconnect(owner: string, network: string): Promise<NetworkLease> {
    return this.#book.disconnect(owner, this.#find(network));
  }

  publish(owner: string, port: PortMapping): Promise<NetworkLease> {
    return this.#book.publish(owner, port);
  }

  unpublish(owner: string, port: PublishedPort): Promise<NetworkLease> {
    return this.#book.unpublish(owner, port);
  }

  rename(owner: string, names: readonly string[]): void {
    this.#book.rename(owner, names);
  }

  release(owner: string): Promise<void> {
    return this.#book.release(owner);
  }

  warm(): void {
    this.#book.warm();
  }

  async adopt(held: ReadonlyMap<string, HeldLease>): Promise<void> {
    const known = new Map([...held].filter(([, { lease }]) => lease.namespace !== ""));
    await this.#book.adopt(known);
    const inUse = [...this.#live.values()].filter(({ members }) => members.size > 0);
    if (inUse.length > 0) await Promise.all(inUse.map((network) => this.#up(network)));
  }

  async dismantle(): Promise<void> {
    await this.#book.close(true);
    // First: who hears that the tables are gone must not bring them back.
    this.#rules = undefined;
    const table = this.#table;
    await this.#writer.change(
      ["ip", "ip6"].map((family) => `table ${family} ${table} {}\ndelete table ${family} ${table}\n`).join(""),
    );
    for (const { record } of this.#live.values()) {
      if (record.driver === "bridge") await this.#kernel.run(removeBridge, { bridge: record.hostInterface });
    }
    await this.#kernel.run(clearHost, {
      folder: join(this.#options.run, "netns"),
      disableForwarding: await Bun.file(this.#marker).exists(),
    });
    rmSync(this.#marker, { force: true });
    for (const network of this.#live.values()) {
      network.up = undefined;
      network.inRules = false;
    }
  }

  /** Containers keep their namespaces; those that are only ready go. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#book.close(false);
    await this.#dns?.[Symbol.asyncDispose]();
    this.#dns = undefined;
  }

  #find(name: string): LiveNetwork {
    const whole = this.#live.get(name) ?? [...this.#live.values()].find(({ record }) => record.name === name);
    if (whole !== undefined) return whole;
    const isId = /^[0-9a-f]{1,64}$/.test(name);
    const matches = isId ? [...this.#live.values()].filter(({ record }) => record.id.startsWith(name)) : [];
    if (matches.length === 1) return matches[0]!;
    throw new GantryError(matches.length > 1 ? "conflict" : "not-found", {
      doing: "find the network",
      on: name,
      because: matches.length > 1 ? `${matches.length} ids begin with it` : `network ${name} not found`,
      next: matches.length > 1 ? "Give more of the id." : "`gantry network ls` lists all.",
    });
  }

  #add(record: NetworkRecord): LiveNetwork {
    const network = new LiveNetwork(record);
    this.#live.set(record.id, network);
    this.#tellNames(network);
    return network;
  }

  #tellNames({ record }: LiveNetwork): void {
    this.#names.network(record.id, {
      name: record.name,
      gateways: record.subnets.map(({ gateway }) => gateway),
      internal: record.internal,
      gives: record.name !== defaultNetwork,
    });
  }

  /** Its subnet is chosen when its bridge is first made: an engine that runs nothing asks the kernel nothing. */
  #makeDefault(): void {
    const record: NetworkRecord = {
      id: this.#random.hex(32),
      name: defaultNetwork,
      driver: "bridge",
      created: this.#clock.now(),
      subnets: [],
      ipv6: false,
      internal: false,
      attachable: false,
      labels: {},
      options: {},
      hostInterface: this.#options.bridge ?? "gantry0",
    };
    this.#add(record);
    this.#rows.put(record);
  }

  #up(network: LiveNetwork): Promise<void> {
    if (network.record.driver !== "bridge") return Promise.resolve();
    network.up ??= this.#setUp(network).catch((error: unknown) => {
      network.up = undefined;
      throw error;
    });
    return network.up;
  }

  async #setUp(network: LiveNetwork): Promise<void> {
    if (network.record.subnets.length === 0) await this.#chooseDefault(network);
    const mtu = Number(network.record.options["com.docker.network.driver.mtu"] ?? "") || undefined;
    await this.#tables(network.record.name !== defaultNetwork);
    this.#watch();
    const { enabledForwarding } = await this.#kernel.run(setUpBridge, {
      bridge: network.record.hostInterface,
      addresses: network.gateways(),
      ...(mtu === undefined ? {} : { mtu }),
    });
    if (enabledForwarding) writeFileSync(this.#marker, "");
    const facts = network.facts();
    if (facts === undefined) return;
    await this.#writer.change(bridgeRules("add", this.#table, facts));
    network.inRules = true;
  }

  /** Once, and once more when the first network that gives names wants its questions steered to us. */
  #tables(names: boolean): Promise<void> {
    if (this.#rules === undefined || (names && !this.#rules.names)) {
      const before = this.#rules?.set ?? Promise.resolve();
      const set = before.then(() => this.#setRules(names));
      this.#rules = { names, set };
      set.catch(() => {
        this.#rules = undefined;
      });
    }
    return this.#rules.set;
  }

  async #chooseDefault(network: LiveNetwork): Promise<void> {
    const { bridge, used } = await this.#kernel.run(lookAtHost, { bridge: network.record.hostInterface });
    const there = bridge?.[0];
    const subnet =
      there === undefined
        ? (parseSubnet(this.#options.subnet ?? "") ??
          chooseSubnet(used.flatMap(({ address, prefix }) => parseSubnet(`${address}/${prefix}`) ?? [])))
        : parseSubnet(`${there.address}/${there.prefix}`)!;
    const { subnets } = newRecord(
      { name: "x", subnets: [{ subnet: subnetText(subnet) }] },
      { id: network.record.id, created: 0, others: [], used: [] },
    );
    network.record = { ...network.record, subnets };
    network.readSubnets();
    this.#tellNames(network);
    this.#rows.put(network.record);
  }

  /** The tables anew, with what containers hold already in the same transaction: no packet meets a gap. */
  async #setRules(names: boolean): Promise<void> {
    if (names)
      this.#dns ??= await openDnsServer({
        names: this.#names,
        egress: this.#egress,
        random: this.#random,
        clock: this.#clock,
      });
    await this.#writer.rebuild();
  }

  #allRules(): string {
    const bridges = [...this.#live.values()].flatMap((network) => {
      const facts = network.inRules ? network.facts() : undefined;
      return facts === undefined ? [] : [bridgeRules("add", this.#table, facts)];
    });
    return [baseRules(this.#table, this.#dns?.port), ...bridges, this.#book.rules()].join("");
  }

  /** Once there are rules to lose. */
  #watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    this.#options.watchTables?.((names) => {
      if (!names.includes(this.#table) && !names.includes("")) return;
      this.#restore().catch((error: unknown) => this.#options.onError?.(error, "restoring the packet rules"));
    });
  }

  /** A firewall that was reloaded has flushed ours as well. Our own making anew is heard too and finds them there. */
  async #restore(): Promise<void> {
    if (this.#rules === undefined) return;
    await this.#rules.set;
    const there = await Promise.all(["ip", "ip6"].map((family) => listRules(["table", family, this.#table])));
    if (this.#rules === undefined || there.every((table) => table !== undefined)) return;
    await this.#setRules(this.#rules.names);
  }

  async #takeDown(network: LiveNetwork): Promise<void> {
    const { record } = network;
    this.#live.delete(record.id);
    this.#names.forgetNetwork(record.id);
    // A failure of its making was told to who asked for it.
    await network.up?.catch(() => undefined);
    if (record.driver !== "bridge") return;
    const facts = network.facts();
    if (network.inRules && facts !== undefined) await this.#writer.change(bridgeRules("delete", this.#table, facts));
    await this.#kernel.run(removeBridge, { bridge: record.hostInterface });
  }
}
