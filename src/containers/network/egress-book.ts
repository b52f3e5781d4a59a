import { isIPv6 } from "node:net";
import { parseAddress } from "#base/core/ip-address.ts";
import type { Endpoint } from "./contract.ts";
import type { EgressList } from "./egress.ts";
import type { RuleWriter } from "./rule-writer.ts";
import { contains, type Subnet, subnetText } from "./subnet.ts";

interface Restricted {
  readonly endpoint: Pick<Endpoint, "address" | "address6">;
  readonly list: EgressList;
  /** What its names led to, each with the moment it is no longer good, milliseconds since 1970. */
  readonly learned: Map<string, number>;
}

/** Seconds that an answer holds at least: a client may keep it longer than its time to live. */
const leastHold = 300;

/** Who may go where only, as elements of the rules' sets; names become addresses when they are asked for. */
export class EgressBook {
  readonly #table: string;
  readonly #writer: RuleWriter;
  /** By owner and network. */
  readonly #restricted = new Map<string, Restricted>();

  constructor(table: string, writer: RuleWriter) {
    this.#table = table;
    this.#writer = writer;
  }

  /** The list that holds for whoever has this address; undefined for one that may go anywhere. */
  listOf(address: string): EgressList | undefined {
    return this.#byAddress(address)?.list;
  }

  async restrict(owner: string, endpoint: Endpoint, list: EgressList): Promise<void> {
    const entry: Restricted = { endpoint, list, learned: new Map() };
    this.#restricted.set(`${owner} ${endpoint.network}`, entry);
    await this.#writer.change(this.#text("add", entry));
  }

  /** After a restart; the rules are made anew then. */
  hold(owner: string, endpoint: Endpoint, list: EgressList): void {
    this.#restricted.set(`${owner} ${endpoint.network}`, { endpoint, list, learned: new Map() });
  }

  async release(owner: string, network: string): Promise<void> {
    const key = `${owner} ${network}`;
    const entry = this.#restricted.get(key);
    if (entry === undefined) return;
    this.#restricted.delete(key);
    await this.#writer.remove(this.#text("delete", entry));
  }

  /** An allowed name led here: the way is open before the answer is given. */
  async learn(asker: string, addresses: readonly string[], seconds: number, now: number): Promise<void> {
    const entry = this.#byAddress(asker);
    if (entry === undefined || addresses.length === 0) return;
    // One inside a subnet of the list has its way already, and the kernel takes no element that overlaps another.
    const fresh = addresses.filter((address) => !entry.learned.has(address) && !inSubnets(entry.list, address));
    const until = now + Math.max(seconds, leastHold) * 1000;
    for (const address of addresses)
      if (fresh.includes(address) || entry.learned.has(address)) entry.learned.set(address, until);
    const lines = fresh.flatMap((address) => this.#allowed("add", entry, address));
    if (lines.length > 0) await this.#writer.change(lines.join(""));
  }

  /** For the tables made anew. */
  rules(now: number): string {
    return [...this.#restricted.values()]
      .map((entry) => {
        for (const [address, until] of entry.learned) if (until < now) entry.learned.delete(address);
        return this.#text("add", entry);
      })
      .join("");
  }

  #byAddress(address: string): Restricted | undefined {
    return [...this.#restricted.values()].find(
      ({ endpoint }) => endpoint.address === address || endpoint.address6 === address,
    );
  }

  #text(verb: "add" | "delete", entry: Restricted): string {
    const { address, address6 } = entry.endpoint;
    const goals = [...outermost(entry.list.subnets).map(subnetText), ...entry.learned.keys()];
    return [
      `${verb} element ip ${this.#table} restricted { ${address} }\n`,
      ...(address6 === undefined ? [] : [`${verb} element ip6 ${this.#table} restricted { ${address6} }\n`]),
      ...goals.flatMap((goal) => this.#allowed(verb, entry, goal)),
    ].join("");
  }

  #allowed(verb: "add" | "delete", { endpoint: { address, address6 } }: Restricted, goal: string): string[] {
    const six = isIPv6(goal.split("/")[0] ?? "");
    const source = six ? address6 : address;
    if (source === undefined) return [];
    return [`${verb} element ${six ? "ip6" : "ip"} ${this.#table} allowed { ${source} . ${goal} }\n`];
  }
}

function inSubnets({ subnets }: EgressList, text: string): boolean {
  const address = parseAddress(text);
  return address !== undefined && subnets.some((subnet) => contains(subnet, address));
}

/** Those that no other of the list holds. */
function outermost(subnets: readonly Subnet[]): Subnet[] {
  return subnets.filter(
    (one, at) =>
      !subnets.some((other, where) => {
        const wider = other.prefix < one.prefix || (other.prefix === one.prefix && where < at);
        return where !== at && wider && contains(other, { family: one.family, value: one.first });
      }),
  );
}
