import { createHash } from "node:crypto";
import { Duplex } from "node:stream";
import { GantryError } from "#base/core/errors.ts";

/** RFC 6455. */
const codes = { continuation: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const;
const magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** More than any terminal sends at once; a longer one is no client of ours. */
const longest = 16 * 1024 * 1024;

/** The answer to a client's key. Error "invalid" for a request that is no WebSocket's. */
export function acceptKey(headers: Readonly<Record<string, string | string[] | undefined>>): string {
  const key = headers["sec-websocket-key"];
  if (typeof key === "string" && headers["sec-websocket-version"] === "13") {
    return createHash("sha1").update(`${key}${magic}`).digest("base64");
  }
  throw new GantryError("invalid", {
    doing: "upgrade the connection",
    because: "the request is no WebSocket's of version 13",
    next: "Use a WebSocket client, or POST to …/attach.",
  });
}

export function encodeFrame(code: number, bytes: Uint8Array): Buffer {
  const length = bytes.length;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65536 ? 4 : 10);
  head[0] = 0x80 | code;
  if (length < 126) head[1] = length;
  else if (length < 65536) {
    head[1] = 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, bytes]);
}

interface Frame {
  readonly code: number;
  readonly bytes: Buffer;
  /** Bytes of the frame whole. */
  readonly size: number;
}

/** The first frame of what a client sent; undefined while it is not all here. Error "invalid": unmasked or too long. */
export function decodeFrame(buffer: Buffer): Frame | undefined {
  if (buffer.length < 2) return undefined;
  const short = buffer[1]! & 0x7f;
  const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
  const start = 2 + extra + 4;
  if (buffer.length < start) return undefined;
  const length = extra === 0 ? short : extra === 2 ? buffer.readUInt16BE(2) : Number(buffer.readBigUInt64BE(2));
  if ((buffer[1]! & 0x80) === 0 || length > longest) {
    const because = length > longest ? `a frame has ${length} bytes` : "a client's frame is not masked";
    throw new GantryError("invalid", { doing: "read the WebSocket", because });
  }
  if (buffer.length < start + length) return undefined;
  const mask = buffer.subarray(start - 4, start);
  const bytes = Buffer.from(buffer.subarray(start, start + length));
  for (let at = 0; at < bytes.length; at++) bytes[at]! ^= mask[at & 3]!;
  return { code: buffer[0]! & 0x0f, bytes, size: start + length };
}

/** The bytes inside a WebSocket as a stream: what is written goes out as binary frames. */
export function webSocketStream(socket: Duplex): Duplex {
  let pending = Buffer.alloc(0);
  const stream = new Duplex({
    read: () => {
      socket.resume();
    },
    write: (chunk: Buffer, _encoding, done) => {
      if (socket.destroyed || socket.write(encodeFrame(codes.binary, chunk))) done();
      else socket.once("drain", () => done());
    },
    final: (done) => {
      // 1000: all was said.
      if (!socket.destroyed) socket.end(encodeFrame(codes.close, Buffer.from([0x03, 0xe8])));
      done();
    },
  });
  const take = (frame: Frame): void => {
    if (frame.code === codes.close) stream.push(null);
    else if (frame.code === codes.ping) socket.write(encodeFrame(codes.pong, frame.bytes));
    else if (frame.code !== codes.pong && frame.bytes.length > 0 && !stream.push(frame.bytes)) socket.pause();
  };
  socket.on("data", (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    try {
      for (let frame = decodeFrame(pending); frame !== undefined; frame = decodeFrame(pending)) {
        pending = pending.subarray(frame.size);
        take(frame);
      }
    } catch (error) {
      stream.destroy(error as Error);
      socket.destroy();
    }
  });
  socket.on("end", () => stream.push(null));
  socket.on("close", () => stream.destroy());
  return stream;
}
