import type { Endpoint, PublishedPort } from "./contract.ts";

export interface RuleNames {
  readonly table: string;
  readonly bridge: string;
  readonly subnet: string;
}

/**
 * The table, made anew in one transaction. Ports are map elements: a container changes no rule. Loopback addresses
 * may be routed to the bridge (route_localnet there), hence the guard in raw: none may come in from any wire, nor
 * from a container (CVE-2020-8558). Nothing from outside reaches a container but what was published.
 */
export function baseRules({ table, bridge, subnet }: RuleNames): string {
  return `
table ip ${table} {}
delete table ip ${table}
table ip ${table} {
  map published_at {
    type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
  }
  map published_anywhere {
    type inet_proto . inet_service : ipv4_addr . inet_service
  }
  chain guard {
    type filter hook prerouting priority raw; policy accept;
    iifname != "lo" ip daddr 127.0.0.0/8 drop
    iifname != "lo" ip saddr 127.0.0.0/8 drop
  }
  chain arriving {
    type nat hook prerouting priority dstnat; policy accept;
    dnat ip to ip daddr . meta l4proto . th dport map @published_at
    fib daddr type local dnat ip to meta l4proto . th dport map @published_anywhere
  }
  chain leaving_host {
    type nat hook output priority -100; policy accept;
    dnat ip to ip daddr . meta l4proto . th dport map @published_at
    fib daddr type local dnat ip to meta l4proto . th dport map @published_anywhere
  }
  chain sources {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "${bridge}" ip saddr 127.0.0.0/8 masquerade
    oifname "${bridge}" ip saddr ${subnet} ct status dnat masquerade
    oifname != "${bridge}" ip saddr ${subnet} masquerade
  }
  chain passing {
    type filter hook forward priority filter; policy accept;
    oifname "${bridge}" iifname "${bridge}" accept
    oifname "${bridge}" ct state established,related accept
    oifname "${bridge}" ct status dnat accept
    oifname "${bridge}" drop
  }
}
`;
}

/** One transaction for all ports of one container. */
export function portRules(
  verb: "add" | "delete",
  { table }: Pick<RuleNames, "table">,
  endpoint: Pick<Endpoint, "address">,
  ports: readonly PublishedPort[],
): string {
  return ports
    .map(({ protocol, containerPort, hostAddress, hostPort }) => {
      const [map, key] =
        hostAddress === "0.0.0.0"
          ? ["published_anywhere", `${protocol} . ${hostPort}`]
          : ["published_at", `${hostAddress} . ${protocol} . ${hostPort}`];
      const value = `${endpoint.address} . ${containerPort}`;
      return `${verb} element ip ${table} ${map} { ${key} : ${value} }\n`;
    })
    .join("");
}
