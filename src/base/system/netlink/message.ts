/** rtnetlink messages: nlmsghdr, a fixed body, attributes (rtnetlink(7)). All numbers are in host order. */

export const messageTypes = {
  error: 2,
  done: 3,
  newLink: 16,
  deleteLink: 17,
  getLink: 18,
  setLink: 19,
  newAddress: 20,
  getAddress: 22,
  newRoute: 24,
  deleteRoute: 25,
  getRoute: 26,
} as const;

export const flags = {
  request: 1,
  acknowledge: 4,
  dump: 0x300,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
} as const;

const headerSize = 16;
const align = (size: number) => (size + 3) & ~3;

export function attribute(type: number, value: Uint8Array | string | number): Buffer {
  const bytes = typeof value === "number" ? u32(value) : typeof value === "string" ? Buffer.from(`${value}\0`) : value;
  const out = Buffer.alloc(align(4 + bytes.length));
  out.writeUInt16LE(4 + bytes.length, 0);
  out.writeUInt16LE(type, 2);
  out.set(bytes, 4);
  return out;
}

export function nested(type: number, ...inner: Uint8Array[]): Buffer {
  return attribute(type, Buffer.concat(inner));
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

export function message(type: number, messageFlags: number, sequence: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const header = Buffer.alloc(headerSize);
  header.writeUInt32LE(headerSize + body.length, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(messageFlags | flags.request, 6);
  header.writeUInt32LE(sequence, 8);
  return Buffer.concat([header, body]);
}

/** ifinfomsg: family, type, index, flags, mask of flags that change. */
export function linkBody(index: number, linkFlags = 0, change = 0): Buffer {
  const body = Buffer.alloc(16);
  body.writeInt32LE(index, 4);
  body.writeUInt32LE(linkFlags, 8);
  body.writeUInt32LE(change, 12);
  return body;
}

export interface Answer {
  readonly type: number;
  readonly sequence: number;
  readonly body: Buffer;
}

/** The messages in one datagram; what is cut short is left out. */
export function parseMessages(datagram: Buffer): Answer[] {
  const answers: Answer[] = [];
  let at = 0;
  while (at + headerSize <= datagram.length) {
    const size = datagram.readUInt32LE(at);
    if (size < headerSize || at + size > datagram.length) break;
    answers.push({
      type: datagram.readUInt16LE(at + 4),
      sequence: datagram.readUInt32LE(at + 8),
      body: datagram.subarray(at + headerSize, at + size),
    });
    at += align(size);
  }
  return answers;
}

/** Attributes by type, from `offset` of a body on. Flag bits of the type are left out. */
export function parseAttributes(body: Buffer, offset: number): ReadonlyMap<number, Buffer> {
  const found = new Map<number, Buffer>();
  let at = offset;
  while (at + 4 <= body.length) {
    const size = body.readUInt16LE(at);
    if (size < 4 || at + size > body.length) break;
    found.set(body.readUInt16LE(at + 2) & 0x3fff, body.subarray(at + 4, at + size));
    at += align(size);
  }
  return found;
}
