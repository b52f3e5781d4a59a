import { isKind } from "#base/core/errors.ts";
import { attribute, flags, linkBody, messageTypes, nested, parseAttributes } from "./message.ts";
import type { NetlinkSocket } from "./socket.ts";

const ifla = { address: 1, name: 3, mtu: 4, link: 5, master: 10, linkInfo: 18, namespaceFd: 28 } as const;
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
export function addBridge(socket: NetlinkSocket, name: string, mac: string, mtu?: number): void {
  socket.change(
    "make the bridge",
    name,
    messageTypes.newLink,
    newOnly,
    linkBody(0),
    attribute(ifla.name, name),
    // An address of its own, or it would take that of whichever port is lowest and change with it.
    attribute(ifla.address, macBytes(mac)),
    ...(mtu === undefined ? [] : [attribute(ifla.mtu, mtu)]),
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
    readonly mtu?: number;
  },
): void {
  const mtu = pair.mtu === undefined ? [] : [attribute(ifla.mtu, pair.mtu)];
  const peer = Buffer.concat([
    linkBody(0),
    ...mtu,
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
    ...mtu,
    attribute(ifla.master, pair.master),
    nested(ifla.linkInfo, attribute(linkInfo.kind, "veth"), nested(linkInfo.data, attribute(vethPeer, peer))),
  );
}

/** One that shares the packets of `parent`, made right in the namespace open as `namespace`. */
export function addSharedLink(
  socket: NetlinkSocket,
  link: {
    readonly kind: "macvlan" | "ipvlan";
    /** As the kernel numbers them (if_link.h). */
    readonly mode: number;
    readonly parent: number;
    readonly name: string;
    /** ipvlan has its parent's. */
    readonly mac?: string;
    readonly namespace: number;
  },
): void {
  const [macvlanMode, ipvlanMode] = [1, 1];
  const mode =
    link.kind === "macvlan" ? attribute(macvlanMode, link.mode) : attribute(ipvlanMode, new Uint8Array([link.mode, 0]));
  socket.change(
    `make the ${link.kind} link`,
    link.name,
    messageTypes.newLink,
    newOnly,
    linkBody(0),
    attribute(ifla.name, link.name),
    attribute(ifla.link, link.parent),
    ...(link.mac === undefined ? [] : [attribute(ifla.address, macBytes(link.mac))]),
    attribute(ifla.namespaceFd, link.namespace),
    nested(ifla.linkInfo, attribute(linkInfo.kind, link.kind), nested(linkInfo.data, mode)),
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

function macBytes(mac: string): Buffer {
  return Buffer.from(mac.replaceAll(":", ""), "hex");
}
