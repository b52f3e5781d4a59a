import { expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { entriesOf, tarStream } from "./streams.ts";
import { tarEntry } from "./writer.ts";

const name = (text: string) => Buffer.from(text);
const big = Buffer.alloc(3_000_000, "streamed ");

function sampleStream(): ReadableStream<Uint8Array> {
  return tarStream(async (writer) => {
    await writer.entry(tarEntry({ name: name("d/"), type: "directory", mode: 0o755 }));
    await writer.entry(
      tarEntry({ name: name("big"), type: "file", size: big.length }),
      (async function* () {
        for (let at = 0; at < big.length; at += 100_000) yield big.subarray(at, at + 100_000);
      })(),
    );
    await writer.entry(tarEntry({ name: name("small"), type: "file", size: 3 }), name("abc"));
  });
}

test("a tar is written while it is read, and its entries are read while it comes", async () => {
  const seen: string[] = [];
  for await (const { entry, content } of entriesOf(sampleStream())) {
    let size = 0;
    for await (const chunk of content) size += chunk.length;
    seen.push(`${Buffer.from(entry.name)} ${size}`);
  }
  expect(seen).toEqual(["d/ 0", `big ${big.length}`, "small 3"]);
});

test("content that nobody reads is skipped, compressed archives are recognised", async () => {
  const packed = gzipSync(await new Response(sampleStream()).bytes());
  const seen: string[] = [];
  for await (const { entry } of entriesOf(new Blob([packed]).stream())) seen.push(Buffer.from(entry.name).toString());
  expect(seen).toEqual(["d/", "big", "small"]);
});

test("a reader that stops early closes the source", async () => {
  const tar = await new Response(sampleStream()).bytes();
  let closed = 0;
  async function* source() {
    try {
      for (let at = 0; at < tar.length; at += 5000) yield tar.subarray(at, at + 5000);
    } finally {
      closed += 1;
    }
  }
  for await (const _ of entriesOf(source())) break;
  for await (const { content } of entriesOf(source())) {
    for await (const _ of content) break;
    break;
  }
  expect(closed).toBe(2);
});

test("an error of the writer reaches the reader", async () => {
  const failing = tarStream(async (writer) => {
    await writer.entry(tarEntry({ name: name("a"), type: "file", size: 5 }), name("abc"));
  });
  expect(new Response(failing).bytes()).rejects.toThrow(/lacks 2 bytes/);
});

test("a truncated archive is an error, not an end", async () => {
  const tar = await new Response(sampleStream()).bytes();
  const read = async () => {
    for await (const { content } of entriesOf(new Blob([tar.slice(0, 200_000)]).stream()))
      for await (const _ of content);
  };
  expect(read()).rejects.toThrow(/stops in the middle/);
});

test("small entries are given together, a few chunks for all", async () => {
  const many = tarStream(async (writer) => {
    for (let n = 0; n < 200; n += 1)
      await writer.entry(tarEntry({ name: name(`file-${n}`), type: "file", size: 10 }), name("0123456789"));
  });
  const sizes: number[] = [];
  for await (const chunk of many) sizes.push(chunk.length);
  expect(sizes.length).toBeLessThan(5);
  expect(sizes.reduce((sum, size) => sum + size, 0) % 512).toBe(0);
});
