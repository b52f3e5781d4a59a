import { expect, test } from "bun:test";
import fc from "fast-check";
import { demultiplex, jsonLines } from "./demultiplex.ts";

function framed(stream: number, bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head[0] = stream;
  head.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([head, bytes]);
}

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test("frames come back whole and in order however the bytes are cut", async () => {
  const pieces = fc.array(fc.tuple(fc.constantFrom(1, 2), fc.uint8Array({ maxLength: 40 })), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(pieces, fc.integer({ min: 1, max: 20 }), async (frames, size) => {
      const bytes = Buffer.concat(frames.map(([stream, content]) => framed(stream, content)));
      // What came together is joined: the borders that count are those between the streams.
      const joined = (some: readonly (readonly [number, string])[]) => {
        const runs: [number, string][] = [];
        for (const [stream, hex] of some) {
          const last = runs.at(-1);
          if (last?.[0] === stream) last[1] += hex;
          else runs.push([stream, hex]);
        }
        return runs;
      };
      const seen: [number, string][] = [];
      for await (const { stream, bytes: content } of demultiplex(cut(bytes, size))) {
        seen.push([stream === "stderr" ? 2 : 1, Buffer.from(content).toString("hex")]);
      }
      expect(joined(seen)).toEqual(
        joined(frames.map(([stream, content]) => [stream, Buffer.from(content).toString("hex")] as const)),
      );
      expect(seen.length).toBeLessThanOrEqual(frames.length);
    }),
  );
});

test("lines of one stream that came in one chunk are one piece", async () => {
  const chunk = Buffer.concat(["a", "b", "c"].map((text) => framed(1, Buffer.from(text))));
  const seen: string[] = [];
  for await (const { bytes } of demultiplex(cut(chunk, 1000))) seen.push(Buffer.from(bytes).toString());
  expect(seen).toEqual(["abc"]);
});

test("a stream that ends inside a frame, or is not framed, is damaged", async () => {
  const read = async (bytes: Uint8Array) => {
    for await (const _ of demultiplex(cut(bytes, 5)));
  };
  await expect(read(framed(1, Buffer.from("abc")).subarray(0, 10))).rejects.toMatchObject({ kind: "corrupt" });
  await expect(read(Buffer.from("plain text of a terminal"))).rejects.toThrow("which is none");
});

test("JSON lines are cut anywhere, also inside a letter, and the last needs no line end", async () => {
  const bytes = Buffer.from('{"a":"é"}\r\n\n{"a":2}');
  for (let size = 1; size < 12; size += 1) {
    const seen: unknown[] = [];
    for await (const line of jsonLines(cut(bytes, size))) seen.push(line);
    expect(seen).toEqual([{ a: "é" }, { a: 2 }]);
  }
});

test("a line that is no JSON is damage, not a fault of this program", async () => {
  const read = async () => {
    for await (const _ of jsonLines(cut(Buffer.from('{"a":1}\n<html>'), 4)));
  };
  await expect(read()).rejects.toMatchObject({ kind: "corrupt" });
});
