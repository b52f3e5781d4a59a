import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import { dirname, join } from "node:path";
import { mount, mountFlags, unmount } from "#base/system/mounts/mount.ts";
import { inNewNamespace, ownNamespacePath } from "#base/system/namespaces/thread.ts";
import { addAddress, addressesOf, usedSubnets } from "#base/system/netlink/addresses.ts";
import { addBridge, deleteLink, findLink, listLinks, setUp } from "#base/system/netlink/links.ts";
import { NetlinkSocket } from "#base/system/netlink/socket.ts";
import { type Implementation, implement } from "#base/system/pool/contract.ts";
import { macOf } from "./address-pool.ts";
import { addLinksTo, disableIPv6, removeLinkFrom } from "./link-work.ts";
import {
  addLinks,
  clearHost,
  dropNamespaces,
  lookAtHost,
  makeNamespace,
  removeBridge,
  removeLink,
  setUpBridge,
} from "./tasks.ts";

const forwarding = "/proc/sys/net/ipv4/ip_forward";
const forwarding6 = "/proc/sys/net/ipv6/conf/all/forwarding";

export const networkKernelTasks: readonly Implementation[] = [
  implement(lookAtHost, ({ bridge }) => {
    using socket = new NetlinkSocket();
    const link = findLink(socket, bridge);
    return {
      ...(link === undefined ? {} : { bridge: [...addressesOf(socket, link, 4), ...addressesOf(socket, link, 6)] }),
      used: [...usedSubnets(socket, 4), ...usedSubnets(socket, 6)],
    };
  }),
  implement(setUpBridge, ({ bridge, addresses, mtu }) => {
    using socket = new NetlinkSocket();
    if (findLink(socket, bridge) === undefined) addBridge(socket, bridge, macOf(addresses[0]?.address ?? ""), mtu);
    const link = findLink(socket, bridge);
    if (link === undefined) throw new Error(`the bridge ${bridge} is gone`);
    const six = addresses.some(({ address }) => isIPv6(address));
    disableIPv6(bridge, !six);
    const has = [...addressesOf(socket, link, 4), ...addressesOf(socket, link, 6)].map(({ address }) => address);
    for (const { address, prefix } of addresses) if (!has.includes(address)) addAddress(socket, link, address, prefix);
    setUp(socket, link);
    // Loopback addresses may be steered to this bridge only; the ruleset's guard comes before.
    writeFileSync(`/proc/sys/net/ipv4/conf/${bridge}/route_localnet`, "1");
    const enabledForwarding = readFileSync(forwarding, "utf8").trim() === "0";
    if (enabledForwarding) writeFileSync(forwarding, "1");
    if (six) writeFileSync(forwarding6, "1");
    return { enabledForwarding };
  }),
  implement(removeBridge, ({ bridge }) => {
    using socket = new NetlinkSocket();
    const link = findLink(socket, bridge);
    const ports = link === undefined ? [] : listLinks(socket).filter(({ master }) => master === link.index);
    for (const port of ports) deleteLink(socket, port.name);
    deleteLink(socket, bridge);
    return { removed: true };
  }),
  implement(makeNamespace, ({ pin, links, routes }) => {
    mkdirSync(dirname(pin), { recursive: true, mode: 0o700 });
    closeSync(openSync(pin, "wx", 0o400));
    try {
      inNewNamespace("net", () => {
        mount({ source: ownNamespacePath("net"), target: pin, flags: mountFlags.bind });
        prepareInside();
      });
      addLinksTo(pin, links, routes);
    } catch (error) {
      drop(pin);
      throw error;
    }
    return { made: true };
  }),
  implement(addLinks, ({ pin, links, routes }) => {
    addLinksTo(pin, links, routes);
    return { added: true };
  }),
  implement(removeLink, ({ pin, interface: name, routes }) => {
    removeLinkFrom(pin, name, routes);
    return { removed: true };
  }),
  implement(dropNamespaces, ({ pins }) => {
    for (const pin of pins) drop(pin);
    return { dropped: true };
  }),
  implement(clearHost, ({ folder, disableForwarding }) => {
    for (const name of entries(folder)) drop(join(folder, name));
    if (entries(folder).length === 0) rmSync(folder, { recursive: true, force: true });
    if (disableForwarding) writeFileSync(forwarding, "0");
    return { cleared: true };
  }),
];

/** In the new namespace: loopback, and what Docker sets. IPv6 is switched on for the links that have it. */
function prepareInside(): void {
  using socket = new NetlinkSocket();
  setUp(socket, { index: 1, name: "lo" });
  disableIPv6("default", true);
  quietly("/proc/sys/net/ipv6/conf/default/accept_ra", "0");
  quietly("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
  quietly("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
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
