/**
 * Where a container's packets go: networks by name, bridges, addresses, published ports, names. Kernel NAT only; no
 * process forwards packets.
 */

export interface PortMapping {
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly containerPort: number;
  /** The host's address; default 127.0.0.1. "0.0.0.0" is every IPv4 address, "::" every IPv6 one. */
  readonly hostAddress?: string;
  /** 0 or absent: any free port. */
  readonly hostPort?: number;
}

/** A mapping with nothing left open. */
export type PublishedPort = Required<PortMapping>;

export type NetworkDriver = "bridge" | "macvlan" | "ipvlan";

export interface SubnetSpec {
  /** "10.5.0.0/16", "fd00:5::/64". */
  readonly subnet: string;
  /** Default: the first address. */
  readonly gateway?: string;
  /** Only from here addresses are handed out unasked. */
  readonly range?: string;
  /** Names and addresses that are somebody else's. */
  readonly reserved?: Readonly<Record<string, string>>;
}

export interface NetworkSpec {
  /** [a-zA-Z0-9][a-zA-Z0-9_.-]*, not the name of another. */
  readonly name: string;
  readonly driver?: NetworkDriver;
  /** At most one of each family; chosen when absent. */
  readonly subnets?: readonly SubnetSpec[];
  readonly ipv6?: boolean;
  /** No way out of it and none in; its containers reach each other and the host. */
  readonly internal?: boolean;
  readonly attachable?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
  /** Docker's driver options, as "com.docker.network.bridge.name" or "parent". */
  readonly options?: Readonly<Record<string, string>>;
}

export interface NetworkRecord {
  /** 64 hex digits. */
  readonly id: string;
  readonly name: string;
  readonly driver: NetworkDriver;
  /** Milliseconds since 1970. */
  readonly created: number;
  /** The default network before its bridge was first made has none. */
  readonly subnets: readonly (SubnetSpec & { readonly gateway: string })[];
  readonly ipv6: boolean;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  /** The bridge, or the interface whose packets macvlan and ipvlan share. */
  readonly hostInterface: string;
}

/** A wish to be in a network. */
export interface EndpointRequest {
  /** Name or id. */
  readonly network: string;
  readonly address?: string;
  readonly address6?: string;
  readonly mac?: string;
  /** What others in this network may call the container, beside its own names. */
  readonly aliases?: readonly string[];
  /** The highest has the default route; default 0, then the order asked in. */
  readonly gatewayPriority?: number;
  /** Default: "eth" and the next free number. */
  readonly interfaceName?: string;
}

export interface Endpoint {
  /** The network's id. */
  readonly network: string;
  /** 64 hex digits. */
  readonly id: string;
  /** Inside: "eth0". */
  readonly interface: string;
  readonly address: string;
  readonly prefixLength: number;
  /** "" in an internal network. */
  readonly gateway: string;
  readonly address6?: string;
  readonly prefixLength6?: number;
  readonly gateway6?: string;
  readonly mac: string;
  /** The host's end of the pair; "" with macvlan and ipvlan. */
  readonly hostInterface: string;
  readonly aliases: readonly string[];
  readonly gatewayPriority: number;
}

/** A container's own network namespace and what is in it. */
export interface NetworkLease {
  /** Pins the namespace; stays until `release`. */
  readonly namespace: string;
  /** In the order of their interfaces; none for the network "none". */
  readonly endpoints: readonly Endpoint[];
  readonly ports: readonly PublishedPort[];
  /** Where the names of its networks are asked for; absent where no network gives names. */
  readonly nameServer?: string;
}

export interface LeaseRequest {
  readonly endpoints: readonly EndpointRequest[];
  readonly ports?: readonly PortMapping[];
  /** Names that hold in each of its networks but the default one: the container's own, its short id. */
  readonly names?: readonly string[];
  /** Name servers asked instead of the host's for what is not a container. */
  readonly dns?: readonly string[];
  /** Addresses, subnets and names it may begin to talk to; absent: any. ["none"]: only its own networks. */
  readonly egress?: readonly string[] | undefined;
}

/** The option of a network, and the annotation of a container, that says where it may go only; words with commas. */
export const egressOption = "io.gantry.egress.allow";

/** A rule elsewhere on the host that would swallow the containers' packets. */
export interface ForeignDrop {
  /** "iptables FORWARD policy DROP". */
  readonly found: string;
  /** The exact command that lets Gantry's packets pass. */
  readonly remedy: string;
}

/** The name of the network every container is in that asks for none; it gives no names. */
export const defaultNetwork = "bridge";

export interface Networks extends AsyncDisposable {
  list(): readonly NetworkRecord[];
  /** By name, id or a unique beginning of one. Errors: "not-found", "conflict" when several begin so. */
  get(name: string): NetworkRecord;
  /** Errors: "invalid", "conflict" (name or subnet taken, saying by whom), "exhausted". */
  create(spec: NetworkSpec): Promise<NetworkRecord>;
  /** Errors: "not-found"; "conflict" while containers are in it; "denied" for the default one. */
  remove(name: string): Promise<void>;
  /** Who holds an endpoint in a network: owner and endpoint. */
  members(id: string): readonly { readonly owner: string; readonly endpoint: Endpoint }[];
  /**
   * A namespace with `lo` up and an interface in each network, its ports published in one nftables transaction and
   * held against others by bound sockets. Errors: "not-found" (network), "conflict" (port or address taken, saying
   * which), "exhausted" (no address left), "invalid" (address not of this host, or not of the network).
   */
  lease(owner: string, request: LeaseRequest): Promise<NetworkLease>;
  /** Puts a running owner into one more network. Errors: as `lease`; "conflict" when it is in it already. */
  connect(owner: string, request: EndpointRequest): Promise<NetworkLease>;
  /** Takes a running owner out of a network. Errors: "not-found" when it is not in it. */
  disconnect(owner: string, network: string): Promise<NetworkLease>;
  /** One more published port for a running owner, or one less. */
  publish(owner: string, port: PortMapping): Promise<NetworkLease>;
  unpublish(owner: string, port: PublishedPort): Promise<NetworkLease>;
  /** After a rename. */
  rename(owner: string, names: readonly string[]): void;
  /** Begins to make the bridge and ready namespaces, so that the first container need not wait for them. */
  warm(): void;
  /** Takes everything of `owner` back. Idempotent. */
  release(owner: string): Promise<void>;
  /** After a restart of the engine: keeps what these owners hold and releases the rest. */
  adopt(held: ReadonlyMap<string, HeldLease>): Promise<void>;
  /** Removes the bridges, the tables, every namespace: as if Gantry had never run. Containers must be gone. */
  dismantle(): Promise<void>;
}

export interface HeldLease {
  readonly lease: NetworkLease;
  readonly names: readonly string[];
  readonly dns: readonly string[];
  readonly egress?: readonly string[] | undefined;
}
