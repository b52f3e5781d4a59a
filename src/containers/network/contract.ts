/**
 * Where a container's packets go: ready network namespaces, one bridge, addresses, published ports.
 * Kernel NAT only; no process forwards packets.
 */

export interface PortMapping {
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly containerPort: number;
  /** The host's address; default 127.0.0.1. "0.0.0.0" is every IPv4 address. */
  readonly hostAddress?: string;
  /** 0 or absent: any free port. */
  readonly hostPort?: number;
}

/** A mapping with nothing left open. */
export type PublishedPort = Required<PortMapping>;

/** A container's own network namespace and what is in it. */
export interface NetworkLease {
  /** Pins the namespace; stays until `release`. */
  readonly namespace: string;
  /** Absent for the network "none". */
  readonly endpoint?: Endpoint;
  readonly ports: readonly PublishedPort[];
}

export interface Endpoint {
  readonly address: string;
  readonly prefixLength: number;
  readonly gateway: string;
  readonly mac: string;
  /** The host's end of the pair. */
  readonly hostInterface: string;
}

/** A rule elsewhere on the host that would swallow the containers' packets. */
export interface ForeignDrop {
  /** "iptables FORWARD policy DROP". */
  readonly found: string;
  /** The exact command that lets Gantry's packets pass. */
  readonly remedy: string;
}

export interface Networks extends AsyncDisposable {
  /**
   * A namespace with `lo` up and nothing else. Errors: "exhausted" when no namespace can be made.
   */
  isolated(owner: string): Promise<NetworkLease>;
  /**
   * A namespace on the default bridge, from the pool, with its ports published in one nftables transaction and held
   * against others by bound sockets. Errors: "conflict" (port taken, saying which), "exhausted" (no address left),
   * "invalid" (address not of this host).
   */
  bridged(owner: string, ports: readonly PortMapping[]): Promise<NetworkLease>;
  /** Begins to make the bridge and ready namespaces, so that the first container need not wait for them. */
  warm(): void;
  /** Takes everything of `owner` back. Idempotent. */
  release(owner: string): Promise<void>;
  /** After a restart of the engine: keeps what these owners hold and releases the rest. */
  adopt(held: ReadonlyMap<string, NetworkLease>): Promise<void>;
  /** Removes the bridge, the table, every namespace: as if Gantry had never run. Containers must be gone. */
  dismantle(): Promise<void>;
}
