import { GantryError } from "#base/core/errors.ts";
import type { Endpoint, PortMapping, PublishedPort } from "./contract.ts";
import { entryOf, type Held } from "./held.ts";
import type { HeldPort, PortKeeper } from "./port-keeper.ts";
import { samePort } from "./ports.ts";
import type { RuleWriter } from "./rule-writer.ts";
import { portRules } from "./rules.ts";

/** The published ports of owners: sockets that hold them, elements of the rules that steer them. */
export class HeldPorts {
  readonly #table: string;
  readonly #writer: RuleWriter;
  readonly #keeper: PortKeeper;

  constructor(table: string, writer: RuleWriter, keeper: PortKeeper) {
    this.#table = table;
    this.#writer = writer;
    this.#keeper = keeper;
  }

  /** All or none. Errors: as `PortKeeper.hold`. */
  async add(held: Held, mappings: readonly PortMapping[]): Promise<void> {
    const entry = entryOf(held.endpoints);
    const taken: HeldPort[] = [];
    try {
      for (const mapping of mappings) taken.push(await this.#keeper.hold(mapping, entry));
      // A container that publishes nothing costs no nft.
      if (entry !== undefined && taken.length > 0) await this.#writer.change(this.#rules("add", entry, taken));
    } catch (error) {
      await this.#keeper.letGo(taken);
      throw error;
    }
    held.ports = [...held.ports, ...taken];
  }

  /** Error "not-found". */
  async remove(held: Held, port: PublishedPort): Promise<void> {
    const gone = held.ports.filter((one) => samePort(one.port, port));
    const entry = entryOf(held.endpoints);
    if (gone.length === 0 || entry === undefined) {
      throw new GantryError("not-found", {
        doing: "take back the published port",
        on: `${port.hostAddress}:${port.hostPort}`,
        because: "it is not published",
      });
    }
    await this.#writer.change(this.#rules("delete", entry, gone));
    await this.#keeper.letGo(gone);
    held.ports = held.ports.filter((one) => !gone.includes(one));
  }

  /** The network they came in by is gone: by the next one, or not at all. */
  async move(held: Held, before: Endpoint): Promise<void> {
    if (held.ports.length === 0) return;
    const entry = entryOf(held.endpoints);
    const added = entry === undefined ? "" : this.#rules("add", entry, held.ports);
    await this.#writer.change(this.#rules("delete", before, held.ports) + added);
    if (entry !== undefined) return;
    await this.#keeper.letGo(held.ports);
    held.ports = [];
  }

  async release(held: Held): Promise<void> {
    const entry = entryOf(held.endpoints);
    try {
      if (entry !== undefined && held.ports.length > 0) {
        await this.#writer.remove(this.#rules("delete", entry, held.ports));
      }
    } finally {
      await this.#keeper.letGo(held.ports);
    }
  }

  /** For the tables made anew. */
  rules({ endpoints, ports }: Held): string {
    const entry = entryOf(endpoints);
    return entry === undefined ? "" : this.#rules("add", entry, ports);
  }

  #rules(verb: "add" | "delete", entry: Endpoint, ports: readonly HeldPort[]): string {
    return portRules(
      verb,
      this.#table,
      entry,
      ports.map(({ inside }) => inside),
    );
  }
}
