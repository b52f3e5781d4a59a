import { isKind } from "#base/core/errors.ts";
import { addressBytes, type Family, formatAddress } from "#base/core/ip-address.ts";
import type { Link } from "./links.ts";
import { attribute, flags, messageTypes, parseAttributes, u32 } from "./message.ts";
import type { NetlinkSocket } from "./socket.ts";

const [ifaAddress, ifaLocal, ifaBroadcast, ifaFlags] = [1, 2, 4, 8];
const [rtaDestination, rtaOif, rtaGateway] = [1, 4, 5];
const afByFamily = { 4: 2, 6: 10 } as const;
const mainTable = 254;
/** Nobody else can have it: no duplicate detection, which would hold it back for a second. */
const noDuplicateDetection = 0x02;

/** An address with the length of its network's prefix. */
export interface Prefixed {
  readonly address: string;
  readonly prefix: number;
}

const familyOf = (bytes: Uint8Array): Family => (bytes.length === 4 ? 4 : 6);

function textOf(bytes: Buffer): string {
  return formatAddress({ family: familyOf(bytes), value: BigInt(`0x${bytes.toString("hex")}`) });
}

/** Error "conflict" when the link has it. */
export function addAddress(socket: NetlinkSocket, link: Pick<Link, "index">, address: string, prefix: number): void {
  const bytes = addressBytes(address);
  const family = familyOf(bytes);
  const body = Buffer.alloc(8);
  body.set([afByFamily[family], prefix, family === 6 ? noDuplicateDetection : 0, 0]);
  body.writeUInt32LE(link.index, 4);
  socket.change(
    "give the address",
    `${address}/${prefix}`,
    messageTypes.newAddress,
    flags.create | flags.exclusive,
    body,
    attribute(ifaLocal, bytes),
    attribute(ifaAddress, bytes),
    family === 4 ? attribute(ifaBroadcast, broadcastOf(bytes, prefix)) : attribute(ifaFlags, noDuplicateDetection),
  );
}

function broadcastOf(bytes: Buffer, prefix: number): Buffer {
  const broadcast = Buffer.alloc(4);
  broadcast.writeUInt32BE((bytes.readUInt32BE(0) | (prefix === 32 ? 0 : 0xffff_ffff >>> prefix)) >>> 0);
  return broadcast;
}

function routeBody(family: Family): Buffer {
  const [boot, universe, unicast] = [3, 0, 1];
  const body = Buffer.alloc(12);
  body.set([afByFamily[family], 0, 0, 0, mainTable, boot, universe, unicast]);
  return body;
}

/** Through `gateway`, in the main table, instead of the one there is. */
export function setDefaultRoute(socket: NetlinkSocket, gateway: string, link: Pick<Link, "index">): void {
  const bytes = addressBytes(gateway);
  socket.change(
    "set the default route",
    gateway,
    messageTypes.newRoute,
    flags.create | flags.replace,
    routeBody(familyOf(bytes)),
    attribute(rtaGateway, bytes),
    attribute(rtaOif, u32(link.index)),
  );
}

/** None to remove is no error. */
export function removeDefaultRoute(socket: NetlinkSocket, family: Family): void {
  try {
    socket.change("remove the default route", `IPv${family}`, messageTypes.deleteRoute, 0, routeBody(family));
  } catch (error) {
    const errno = isKind(error) ? error.parts.details?.errno : undefined;
    if (errno !== "ESRCH" && errno !== "EAFNOSUPPORT") throw error;
  }
}

/** Every subnet this namespace has a route or an address for; the default route is left out. */
export function usedSubnets(socket: NetlinkSocket, family: Family): Prefixed[] {
  const body = Buffer.alloc(12);
  body[0] = afByFamily[family];
  const routes = socket.dump(messageTypes.getRoute, body).flatMap(({ body: answer }) => {
    const destination = parseAttributes(answer, 12).get(rtaDestination);
    return destination === undefined ? [] : [{ address: textOf(destination), prefix: answer[1]! }];
  });
  const addresses = socket.dump(messageTypes.getAddress, body.subarray(0, 8)).flatMap(({ body: answer }) => {
    const address = parseAttributes(answer, 8).get(ifaAddress);
    return address === undefined ? [] : [{ address: textOf(address), prefix: answer[1]! }];
  });
  return [...routes, ...addresses];
}

export function addressesOf(socket: NetlinkSocket, link: Pick<Link, "index">, family: Family): Prefixed[] {
  const body = Buffer.alloc(8);
  body[0] = afByFamily[family];
  return socket.dump(messageTypes.getAddress, body).flatMap(({ body: answer }) => {
    if (answer.readUInt32LE(4) !== link.index) return [];
    const found = parseAttributes(answer, 8);
    const address = found.get(ifaLocal) ?? found.get(ifaAddress);
    return address === undefined ? [] : [{ address: textOf(address), prefix: answer[1]! }];
  });
}
