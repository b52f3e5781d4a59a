import type { Endpoint, PublishedPort } from "./contract.ts";

/** A bridge as the packet rules see it. */
export interface BridgeFacts {
  readonly bridge: string;
  /** "10.64.0.0/16" */
  readonly subnet: string;
  /** The bridge's own address, where names are asked for. */
  readonly gateway: string;
  readonly subnet6?: string;
  readonly internal: boolean;
  /** Containers of it reach each other. */
  readonly talk: boolean;
  /** Packets that leave carry the host's address. */
  readonly masquerade: boolean;
}

/**
 * Both tables, made anew in one transaction. Bridges and ports are elements of sets and maps: neither a container nor
 * a network changes a rule. Loopback addresses may be routed to the bridges (route_localnet there), hence the guard
 * in raw: none may come in from any wire, nor from a container (CVE-2020-8558). Nothing from outside reaches a
 * container but what was published. `dnsPort`: where names are answered; only containers may ask there.
 */
export function baseRules(table: string, dnsPort?: number): string {
  const names =
    dnsPort === undefined
      ? { guard: "", redirect: "", accept: "" }
      : {
          guard: `iifname != "lo" iifname != @bridges meta l4proto { tcp, udp } th dport ${dnsPort} drop`,
          accept: `iifname @bridges meta l4proto { tcp, udp } th dport ${dnsPort} accept`,
          redirect: `iifname @bridges ip daddr @gateways meta l4proto { tcp, udp } th dport 53 redirect to :${dnsPort}`,
        };
  // Where a list holds, only what is on it may be begun; what was begun by others may be answered.
  const outside = (family: string) =>
    `${family} saddr @restricted ct state != { established, related } ${family} saddr . ${family} daddr != @allowed drop`;
  const passing = (family: string) => `
  chain passing {
    type filter hook forward priority filter; policy accept;
    iifname . oifname @same accept
    ${outside(family)}
    iifname @internal drop
    oifname @internal drop
    oifname @bridges ct state established,related accept
    oifname @bridges ct status dnat accept
    oifname @bridges drop
  }
  chain to_host {
    type filter hook input priority filter; policy accept;
    ${names.accept}
    ${outside(family)}
  }`;
  const sets = (address: string) => `
  set bridges { type ifname; }
  set internal { type ifname; }
  set same { type ifname . ifname; }
  set own { type ifname . ${address}; flags interval; }
  set natted { type ${address}; flags interval; }
  set restricted { type ${address}; }
  set allowed { type ${address} . ${address}; flags interval; }
  map published_at { type ${address} . inet_proto . inet_service : ${address} . inet_service; }
  map published_anywhere { type inet_proto . inet_service : ${address} . inet_service; }`;
  const steer = (family: string) => `
    dnat ${family} to ${family} daddr . meta l4proto . th dport map @published_at
    fib daddr type local dnat ${family} to meta l4proto . th dport map @published_anywhere`;
  const sources = (family: string) => `
    oifname . ${family} saddr @own ct status dnat masquerade
    oifname . ${family} saddr @own accept
    ${family} saddr @natted masquerade`;
  return `
table ip ${table} {}
delete table ip ${table}
table ip6 ${table} {}
delete table ip6 ${table}
table ip ${table} {${sets("ipv4_addr")}
  set gateways { type ipv4_addr; }
  chain guard {
    type filter hook prerouting priority raw; policy accept;
    iifname != "lo" ip daddr 127.0.0.0/8 drop
    iifname != "lo" ip saddr 127.0.0.0/8 drop
    ${names.guard}
  }
  chain arriving {
    type nat hook prerouting priority dstnat; policy accept;
    ${names.redirect}${steer("ip")}
  }
  chain leaving_host {
    type nat hook output priority -100; policy accept;${steer("ip")}
  }
  chain sources {
    type nat hook postrouting priority srcnat; policy accept;
    oifname @bridges ip saddr 127.0.0.0/8 masquerade${sources("ip")}
  }${passing("ip")}
}
table ip6 ${table} {${sets("ipv6_addr")}
  chain arriving {
    type nat hook prerouting priority dstnat; policy accept;${steer("ip6")}
  }
  chain leaving_host {
    type nat hook output priority -100; policy accept;${steer("ip6")}
  }
  chain sources {
    type nat hook postrouting priority srcnat; policy accept;
    oifname @bridges ip6 saddr ::1 masquerade${sources("ip6")}
  }${passing("ip6")}
}
`;
}

/** One transaction for a bridge, into the rules or out of them. */
export function bridgeRules(verb: "add" | "delete", table: string, facts: BridgeFacts): string {
  const { bridge, subnet, subnet6, gateway, internal, talk, masquerade } = facts;
  const families = [["ip", subnet] as const, ...(subnet6 === undefined ? [] : [["ip6", subnet6] as const])];
  const lines = families.flatMap(([family, network]) => [
    [family, "bridges", `"${bridge}"`],
    [family, "own", `"${bridge}" . ${network}`],
    ...(internal ? [[family, "internal", `"${bridge}"`]] : []),
    ...(talk ? [[family, "same", `"${bridge}" . "${bridge}"`]] : []),
    ...(masquerade && !internal ? [[family, "natted", network]] : []),
  ]);
  return [...lines, ["ip", "gateways", gateway]]
    .map(([family, set, element]) => `${verb} element ${family} ${table} ${set} { ${element} }\n`)
    .join("");
}

/** One transaction for all ports of one container. */
export function portRules(
  verb: "add" | "delete",
  table: string,
  endpoint: Pick<Endpoint, "address" | "address6">,
  ports: readonly PublishedPort[],
): string {
  return ports
    .map(({ protocol, containerPort, hostAddress, hostPort }) => {
      const family = hostAddress.includes(":") ? "ip6" : "ip";
      const [map, key] =
        hostAddress === "0.0.0.0" || hostAddress === "::"
          ? ["published_anywhere", `${protocol} . ${hostPort}`]
          : ["published_at", `${hostAddress} . ${protocol} . ${hostPort}`];
      const value = `${family === "ip" ? endpoint.address : endpoint.address6} . ${containerPort}`;
      return `${verb} element ${family} ${table} ${map} { ${key} : ${value} }\n`;
    })
    .join("");
}
