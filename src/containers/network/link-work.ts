import { closeSync, existsSync, openSync, writeFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import { GantryError } from "#base/core/errors.ts";
import { inNamespace } from "#base/system/namespaces/thread.ts";
import { addAddress, removeDefaultRoute, setDefaultRoute } from "#base/system/netlink/addresses.ts";
import {
  addSharedLink,
  addVethPair,
  allowHairpin,
  deleteLink,
  findLink,
  type Link,
  setUp,
} from "#base/system/netlink/links.ts";
import { NetlinkSocket } from "#base/system/netlink/socket.ts";
import type { LinkPlan, RoutePlan } from "./tasks.ts";

/** Makes these interfaces in the namespace, and its way out anew. */
export function addLinksTo(pin: string, links: readonly LinkPlan[], routes: RoutePlan): void {
  if (links.length === 0) return;
  using socket = new NetlinkSocket();
  const namespace = openSync(pin, "r");
  try {
    for (const link of links) connect(socket, link, namespace);
  } finally {
    closeSync(namespace);
  }
  inNamespace("net", pin, () => {
    using inside = new NetlinkSocket();
    for (const link of links) configure(inside, link);
    setRoutes(inside, routes);
  });
}

export function removeLinkFrom(pin: string, name: string, routes: RoutePlan): void {
  inNamespace("net", pin, () => {
    using inside = new NetlinkSocket();
    deleteLink(inside, name);
    setRoutes(inside, routes);
  });
}

function connect(socket: NetlinkSocket, link: LinkPlan, namespace: number): void {
  const { to } = link;
  if (to.kind !== "bridge") {
    const parent = mustFind(socket, to.parent, "share the packets of the interface");
    addSharedLink(socket, {
      kind: to.kind,
      mode: to.mode,
      parent: parent.index,
      name: link.interface,
      ...(to.kind === "macvlan" ? { mac: link.mac } : {}),
      namespace,
    });
    return;
  }
  addVethPair(socket, {
    name: to.hostInterface,
    master: mustFind(socket, to.bridge, "connect to the bridge").index,
    peer: link.interface,
    peerMac: link.mac,
    peerNamespace: namespace,
    ...(to.mtu === undefined ? {} : { mtu: to.mtu }),
  });
  const outside = findLink(socket, to.hostInterface);
  if (outside !== undefined) allowHairpin(socket, outside);
}

function mustFind(socket: NetlinkSocket, name: string, doing: string): Link {
  const link = findLink(socket, name);
  if (link !== undefined) return link;
  throw new GantryError("unavailable", { doing, on: name, because: "there is none of that name on this host" });
}

function configure(inside: NetlinkSocket, { interface: name, addresses }: LinkPlan): void {
  const link = mustFind(inside, name, "set up the container's interface");
  disableIPv6(name, !addresses.some(({ address }) => isIPv6(address)));
  for (const { address, prefix } of addresses) addAddress(inside, link, address, prefix);
  setUp(inside, link);
}

function setRoutes(inside: NetlinkSocket, { gateways }: RoutePlan): void {
  for (const family of [4, 6] as const) {
    const wanted = gateways.find(({ gateway }) => isIPv6(gateway) === (family === 6));
    const link = wanted === undefined ? undefined : findLink(inside, wanted.interface);
    if (wanted === undefined || link === undefined) removeDefaultRoute(inside, family);
    else setDefaultRoute(inside, wanted.gateway, link);
  }
}

/** A kernel without IPv6 has nothing to switch. */
export function disableIPv6(name: string, disable: boolean): void {
  const folder = `/proc/sys/net/ipv6/conf/${name}`;
  if (!existsSync(folder)) return;
  // Addresses are ours to give, each once: looking for a second owner would keep the link silent for a second.
  if (!disable) writeFileSync(`${folder}/accept_dad`, "0");
  writeFileSync(`${folder}/disable_ipv6`, disable ? "1" : "0");
}
