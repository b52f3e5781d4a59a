import type { Endpoint } from "./contract.ts";

interface Member {
  readonly owner: string;
  readonly network: string;
  readonly names: readonly string[];
  readonly address: string;
  readonly address6?: string;
}

export interface NetworkView {
  readonly name: string;
  readonly gateways: readonly string[];
  readonly internal: boolean;
  /** Its members have names for each other; the default network's do not. */
  readonly gives: boolean;
}

/** Who asks, and what it may know. */
export interface Asker {
  readonly networks: readonly string[];
  /** Only in networks without a way out: then nothing is asked of others. */
  readonly enclosed: boolean;
  readonly dns: readonly string[];
}

/** Names in each network. Names are compared without case, as DNS does. */
export class NameTable {
  readonly #members = new Map<string, Member>();
  readonly #networks = new Map<string, NetworkView>();
  readonly #dns = new Map<string, readonly string[]>();
  #turn = 0;

  network(id: string, view: NetworkView): void {
    this.#networks.set(id, view);
  }

  forgetNetwork(id: string): void {
    this.#networks.delete(id);
  }

  join(owner: string, { network, address, address6 }: Endpoint, names: readonly string[]): void {
    const lower = [...new Set(names.map((name) => name.toLowerCase()))];
    this.#members.set(`${owner} ${network}`, {
      owner,
      network,
      names: lower,
      address,
      ...(address6 === undefined ? {} : { address6 }),
    });
  }

  leave(owner: string, network: string): void {
    this.#members.delete(`${owner} ${network}`);
  }

  servers(owner: string, dns: readonly string[]): void {
    if (dns.length > 0) this.#dns.set(owner, dns);
    else this.#dns.delete(owner);
  }

  /** By the address a question comes from; the gateway's own means the host, which may know the whole network. */
  asker(address: string): Asker | undefined {
    for (const [id, { gateways, internal }] of this.#networks) {
      if (gateways.includes(address)) return { networks: [id], enclosed: internal, dns: [] };
    }
    const self = [...this.#members.values()].find(
      (member) => member.address === address || member.address6 === address,
    );
    if (self === undefined) return undefined;
    const own = [...this.#members.values()].filter(({ owner }) => owner === self.owner).map(({ network }) => network);
    const views = own.flatMap((id) => this.#networks.get(id) ?? []);
    return {
      networks: own.filter((id) => this.#networks.get(id)?.gives ?? false),
      enclosed: views.length > 0 && views.every(({ internal }) => internal),
      dns: this.#dns.get(self.owner) ?? [],
    };
  }

  /** Addresses of a name, each time beginning with another; undefined when nobody has it. */
  addresses(asker: Asker, name: string, family: 4 | 6): readonly string[] | undefined {
    const wanted = name.toLowerCase().replace(/\.$/, "");
    const found = [...this.#members.values()].filter(
      ({ network, names }) => asker.networks.includes(network) && this.#isCalled(names, network, wanted),
    );
    if (found.length === 0) return undefined;
    const addresses = found.flatMap(({ address, address6 }) => (family === 4 ? address : (address6 ?? [])));
    this.#turn += 1;
    const at = addresses.length === 0 ? 0 : this.#turn % addresses.length;
    return [...addresses.slice(at), ...addresses.slice(0, at)];
  }

  /** "web.mynet" of an address, as Docker answers a reverse question. */
  nameOf(asker: Asker, address: string): string | undefined {
    const found = [...this.#members.values()].find(
      (member) =>
        asker.networks.includes(member.network) && (member.address === address || member.address6 === address),
    );
    const network = found === undefined ? undefined : this.#networks.get(found.network);
    return found?.names[0] === undefined || network === undefined ? undefined : `${found.names[0]}.${network.name}`;
  }

  #isCalled(names: readonly string[], network: string, wanted: string): boolean {
    if (names.includes(wanted)) return true;
    const suffix = `.${this.#networks.get(network)?.name.toLowerCase()}`;
    return wanted.endsWith(suffix) && names.includes(wanted.slice(0, -suffix.length));
  }
}
