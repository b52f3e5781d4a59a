import { expect, test } from "bun:test";
import { PassThrough } from "node:stream";
import fc from "fast-check";
import { acceptKey, decodeFrame, encodeFrame, webSocketStream } from "./websocket.ts";

/** As a client sends it. */
function masked(code: number, bytes: Uint8Array): Buffer {
  const frame = encodeFrame(code, bytes);
  const head = frame.length - bytes.length;
  const mask = Buffer.from([1, 2, 3, 4]);
  frame[1]! |= 0x80;
  const body = Buffer.from(bytes.map((byte, at) => byte ^ mask[at & 3]!));
  return Buffer.concat([frame.subarray(0, head), mask, body]);
}

test("the key of RFC 6455's example is answered as it says, and what is no WebSocket is refused", () => {
  const headers = { "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-version": "13" };
  expect(acceptKey(headers)).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  expect(() => acceptKey({})).toThrow("no WebSocket's");
  expect(() => acceptKey({ ...headers, "sec-websocket-version": "8" })).toThrow("no WebSocket's");
});

test("every frame of a client is read as it was sent, in whatever pieces it comes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70_000 }), fc.nat(70_020), (bytes, cut) => {
      const frame = masked(2, bytes);
      expect(decodeFrame(frame)).toEqual({ code: 2, bytes: Buffer.from(bytes), size: frame.length });
      if (cut < frame.length) expect(decodeFrame(frame.subarray(0, cut))).toBeUndefined();
    }),
    { numRuns: 50 },
  );
  expect(decodeFrame(masked(2, new Uint8Array(70_000)))?.bytes.length).toBe(70_000);
});

test("a frame that is not masked and one that is too long are refused", () => {
  expect(() => decodeFrame(Buffer.concat([encodeFrame(2, Buffer.from("abcd")), Buffer.alloc(8)]))).toThrow(
    "not masked",
  );
  const long = Buffer.alloc(14);
  long.set([0x82, 0xff]);
  long.writeBigUInt64BE(2n ** 40n, 2);
  expect(() => decodeFrame(long)).toThrow("a frame has 1099511627776 bytes");
});

test("pings are answered, what is written is framed, and a close ends the stream", async () => {
  const toEngine = new PassThrough();
  const sent: Buffer[] = [];
  const socket = Object.assign(toEngine, {
    write: (chunk: Buffer) => {
      sent.push(chunk);
      return true;
    },
  });
  const stream = webSocketStream(socket);
  const heard: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => heard.push(chunk));
  const ended = new Promise((done) => stream.on("end", done));
  stream.write("out");
  const frames = [masked(9, Buffer.from("?")), masked(1, Buffer.from("in")), masked(8, new Uint8Array())];
  toEngine.push(Buffer.concat(frames));
  await ended;
  expect(Buffer.concat(heard).toString()).toBe("in");
  expect(sent.map((frame) => frame.toString("latin1"))).toEqual(["\x82\x03out", "\x8a\x01?"]);
});
