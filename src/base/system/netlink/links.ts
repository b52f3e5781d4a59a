import { isKind } from "#base/core/errors.ts";
import { attribute, flags, linkBody, messageTypes, nested, parseAttributes, u32 } from "./message.ts";
import type { NetlinkSocket } from "./socket.ts";

const ifla = { address: 1, name: 3, mtu: 4, master: 10, linkInfo: 18, namespaceFd: 28 } as const;
const linkInfo = { kind: 1, data: 2 } as const;
const vethPeer = 1;
const up = 1;

export interface Link {
  readonly index: number;
  readonly name: string;
  readonly up: boolean;
  readonly mac: string;
  /** Index of the bridge it is in. */
  readonly master?: number;
}

export function listLinks(socket: NetlinkSocket): Link[] {
  return socket.dump(messageTypes.getLink, linkBody(0)).flatMap(({ type, body }) => {
    if (type !== messageTypes.newLink) return [];
    const found = parseAttributes(body, 16);
    const name = found.get(ifla.name)?.toString("latin1").replace(/\0.*$/s, "");
    const master = found.get(ifla.master)?.readUInt32LE(0);
    if (name === undefined) return [];
    return [
      {
        index: body.readInt32LE(4),
        name,
        up: (body.readUInt32LE(8) & up) !== 0,
        mac: (found.get(ifla.address)?.toString("hex") ?? "").replace(/(..)(?=.)/g, "$1:"),
        ...(master === undefined ? {} : { master }),
      },
    ];
  });
}

export function findLink(socket: NetlinkSocket, name: string): Link | undefined {
  return listLinks(socket).find((link) => link.name === name);
}

const newOnly = flags.create | flags.exclusive;

/** Error "conflict": the name is taken. */
export function addBridge(socket: NetlinkSocket, name: string, mac: string): void {
  socket.change(
    "make the bridge",
    name,
    messageTypes.newLink,
    newOnly,
    linkBody(0),
    attribute(ifla.name, name),
    // An address of its own, or it would take that of whichever port is lowest and change with it.
    attribute(ifla.address, macBytes(mac)),
    nested(ifla.linkInfo, attribute(linkInfo.kind, "bridge")),
  );
}

/** A pair: `name` here in the bridge `master` and up, `peer` in the namespace open as `peerNamespace`. */
export function addVethPair(
  socket: NetlinkSocket,
  pair: {
    readonly name: string;
    readonly master: number;
    readonly peer: string;
    readonly peerMac: string;
    readonly peerNamespace: number;
  },
): void {
  const peer = Buffer.concat([
    linkBody(0),
    attribute(ifla.name, pair.peer),
    attribute(ifla.address, macBytes(pair.peerMac)),
    attribute(ifla.namespaceFd, pair.peerNamespace),
  ]);
  socket.change(
    "make the link",
    pair.name,
    messageTypes.newLink,
    newOnly,
    linkBody(0, up, up),
    attribute(ifla.name, pair.name),
    attribute(ifla.master, pair.master),
    nested(ifla.linkInfo, attribute(linkInfo.kind, "veth"), nested(linkInfo.data, attribute(vethPeer, peer))),
  );
}

export function setUp(socket: NetlinkSocket, link: Pick<Link, "index" | "name">): void {
  socket.change("bring up the link", link.name, messageTypes.setLink, 0, linkBody(link.index, up, up));
}

/**
 * Lets a bridge's port send back what came in by it. Where bridges pass through the packet filter (br_netfilter), a
 * container that reaches itself by the host's address needs it.
 */
export function allowHairpin(socket: NetlinkSocket, link: Pick<Link, "index" | "name">): void {
  const [afBridge, protocolInfo, nestedFlag, portMode] = [7, 12, 0x8000, 4];
  const body = linkBody(link.index);
  body[0] = afBridge;
  const mode = attribute(portMode, new Uint8Array([1]));
  socket.change(
    "let packets turn back at",
    link.name,
    messageTypes.setLink,
    0,
    body,
    attribute(protocolInfo | nestedFlag, mode),
  );
}

/** False when there is none. */
export function deleteLink(socket: NetlinkSocket, name: string): boolean {
  try {
    socket.change("remove the link", name, messageTypes.deleteLink, 0, linkBody(0), attribute(ifla.name, name));
    return true;
  } catch (error) {
    if (isKind(error) && error.parts.details?.errno === "ENODEV") return false;
    throw error;
  }
}

const [ifaAddress, ifaLocal, ifaBroadcast] = [1, 2, 4];
const [rtaDestination, rtaOif, rtaGateway] = [1, 4, 5];
const afInet = 2;

export function addAddress(socket: NetlinkSocket, link: Pick<Link, "index">, address: string, prefix: number): void {
  const body = Buffer.alloc(8);
  body.set([afInet, prefix, 0, 0]);
  body.writeUInt32LE(link.index, 4);
  const bytes = addressBytes(address);
  const network = bytes.readUInt32BE(0);
  const broadcast = Buffer.alloc(4);
  broadcast.writeUInt32BE((network | (prefix === 32 ? 0 : 0xffff_ffff >>> prefix)) >>> 0);
  socket.change(
    "give the address",
    `${address}/${prefix}`,
    messageTypes.newAddress,
    newOnly,
    body,
    attribute(ifaLocal, bytes),
    attribute(ifaAddress, bytes),
    attribute(ifaBroadcast, broadcast),
  );
}

/** Through `gateway`, in the main table. */
export function addDefaultRoute(socket: NetlinkSocket, gateway: string, link: Pick<Link, "index">): void {
  const [mainTable, boot, universe, unicast] = [254, 3, 0, 1];
  const body = Buffer.alloc(12);
  body.set([afInet, 0, 0, 0, mainTable, boot, universe, unicast]);
  socket.change(
    "set the default route",
    gateway,
    messageTypes.newRoute,
    newOnly,
    body,
    attribute(rtaGateway, addressBytes(gateway)),
    attribute(rtaOif, u32(link.index)),
  );
}

export interface Subnet {
  readonly address: string;
  readonly prefix: number;
}

/** Every IPv4 subnet this namespace has a route or an address for; the default route is left out. */
export function usedSubnets(socket: NetlinkSocket): Subnet[] {
  const inet = Buffer.alloc(12);
  inet[0] = afInet;
  const routes = socket.dump(messageTypes.getRoute, inet).flatMap(({ body }) => {
    const destination = parseAttributes(body, 12).get(rtaDestination);
    return destination?.length === 4 ? [{ address: addressText(destination), prefix: body[1]! }] : [];
  });
  const addresses = socket.dump(messageTypes.getAddress, inet.subarray(0, 8)).flatMap(({ body }) => {
    const address = parseAttributes(body, 8).get(ifaAddress);
    return address?.length === 4 ? [{ address: addressText(address), prefix: body[1]! }] : [];
  });
  return [...routes, ...addresses];
}

function macBytes(mac: string): Buffer {
  return Buffer.from(mac.replaceAll(":", ""), "hex");
}

export function addressBytes(address: string): Buffer {
  return Buffer.from(address.split(".").map(Number));
}

export function addressText(bytes: Uint8Array): string {
  return [...bytes].join(".");
}

export function addressesOf(socket: NetlinkSocket, link: Pick<Link, "index">): Subnet[] {
  const body = Buffer.alloc(8);
  body[0] = afInet;
  return socket.dump(messageTypes.getAddress, body).flatMap(({ body: answer }) => {
    if (answer.readUInt32LE(4) !== link.index) return [];
    const address = parseAttributes(answer, 8).get(ifaLocal);
    return address === undefined ? [] : [{ address: addressText(address), prefix: answer[1]! }];
  });
}
