import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import { mount, mountFlags, unmount } from "#base/system/mounts/mount.ts";
import { inNamespace, inNewNamespace, ownNamespacePath } from "#base/system/namespaces/thread.ts";
import {
  addAddress,
  addBridge,
  addDefaultRoute,
  addressesOf,
  addVethPair,
  allowHairpin,
  deleteLink,
  findLink,
  listLinks,
  setUp,
  usedSubnets,
} from "#base/system/netlink/links.ts";
import { NetlinkSocket } from "#base/system/netlink/socket.ts";
import { type Implementation, implement } from "#base/system/pool/contract.ts";
import type { Endpoint } from "./contract.ts";
import { AddressPool, chooseSubnet, macOf, type Subnet } from "./subnet.ts";
import { dropNamespaces, makeNamespace, removeBridge, setUpBridge } from "./tasks.ts";

const forwarding = "/proc/sys/net/ipv4/ip_forward";

export const networkKernelTasks: readonly Implementation[] = [
  implement(setUpBridge, ({ bridge, wanted }) => {
    using socket = new NetlinkSocket();
    const subnet = bridgeSubnet(socket, bridge, wanted);
    // Loopback addresses may be steered to this bridge only; the ruleset's guard comes before.
    writeFileSync(`/proc/sys/net/ipv4/conf/${bridge}/route_localnet`, "1");
    quietly(`/proc/sys/net/ipv6/conf/${bridge}/disable_ipv6`, "1");
    const enabledForwarding = readFileSync(forwarding, "utf8").trim() === "0";
    if (enabledForwarding) writeFileSync(forwarding, "1");
    return { subnet, enabledForwarding };
  }),
  implement(makeNamespace, ({ pin, bridge, endpoint }) => {
    mkdirSync(dirname(pin), { recursive: true, mode: 0o700 });
    closeSync(openSync(pin, "wx", 0o400));
    try {
      inNewNamespace("net", () => {
        mount({ source: ownNamespacePath("net"), target: pin, flags: mountFlags.bind });
        prepareInside();
      });
      if (endpoint !== undefined) connect(pin, bridge, endpoint);
    } catch (error) {
      drop(pin);
      throw error;
    }
    return { made: true };
  }),
  implement(dropNamespaces, ({ pins }) => {
    for (const pin of pins) drop(pin);
    return { dropped: true };
  }),
  implement(removeBridge, ({ bridge, folder, disableForwarding }) => {
    using socket = new NetlinkSocket();
    const link = findLink(socket, bridge);
    const ports = link === undefined ? [] : listLinks(socket).filter(({ master }) => master === link.index);
    for (const port of ports) deleteLink(socket, port.name);
    deleteLink(socket, bridge);
    for (const name of entries(folder)) drop(join(folder, name));
    if (entries(folder).length === 0) rmSync(folder, { recursive: true, force: true });
    if (disableForwarding) writeFileSync(forwarding, "0");
    return { removed: true };
  }),
];

function bridgeSubnet(socket: NetlinkSocket, name: string, wanted: Subnet | undefined): Subnet {
  const found = findLink(socket, name);
  const has = found === undefined ? undefined : addressesOf(socket, found)[0];
  if (found !== undefined && has !== undefined) {
    setUp(socket, found);
    return has;
  }
  const subnet = wanted ?? chooseSubnet(usedSubnets(socket));
  const { gateway } = new AddressPool(subnet);
  if (found === undefined) addBridge(socket, name, macOf(gateway));
  const link = findLink(socket, name);
  if (link === undefined)
    throw new GantryError("internal", { doing: "find the bridge", on: name, because: "it is gone" });
  addAddress(socket, link, gateway, subnet.prefix);
  setUp(socket, link);
  return { address: gateway, prefix: subnet.prefix };
}

/** In the new namespace: loopback, and what Docker sets. No IPv6, so no router advertisement is heard or sent. */
function prepareInside(): void {
  using socket = new NetlinkSocket();
  setUp(socket, { index: 1, name: "lo" });
  quietly("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
  quietly("/proc/sys/net/ipv6/conf/default/accept_ra", "0");
  quietly("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
  quietly("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
}

function connect(pin: string, bridge: string, endpoint: Endpoint): void {
  using socket = new NetlinkSocket();
  const master = findLink(socket, bridge);
  if (master === undefined) {
    throw new GantryError("unavailable", { doing: "connect to the bridge", on: bridge, because: "it is gone" });
  }
  const peerNamespace = openSync(pin, "r");
  try {
    addVethPair(socket, {
      name: endpoint.hostInterface,
      master: master.index,
      peer: "eth0",
      peerMac: endpoint.mac,
      peerNamespace,
    });
  } finally {
    closeSync(peerNamespace);
  }
  const outside = findLink(socket, endpoint.hostInterface);
  if (outside !== undefined) allowHairpin(socket, outside);
  inNamespace("net", pin, () => {
    using inside = new NetlinkSocket();
    const link = findLink(inside, "eth0");
    if (link === undefined) {
      throw new GantryError("internal", { doing: "find the container's link", on: pin, because: "it is not there" });
    }
    addAddress(inside, link, endpoint.address, endpoint.prefixLength);
    setUp(inside, link);
    addDefaultRoute(inside, endpoint.gateway, link);
  });
}

function drop(pin: string): void {
  unmount(pin, { lazy: true });
  rmSync(pin, { force: true });
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // Never made.
  }
}

/** Kernels without the setting have nothing to set. */
function quietly(path: string, value: string): void {
  try {
    writeFileSync(path, value);
  } catch {
    return;
  }
}
