import { expect, test } from "bun:test";
import { constants, deflateRawSync, gunzipSync, gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { GantryError, isKind } from "#base/core/errors.ts";
import { createAutoDecompressor, createDecompressor, detectCompression } from "./decompress.ts";
import { createGzipWriter } from "./gzip.ts";

function gzip(data: Uint8Array, step = data.length || 1): Uint8Array {
  const chunks: Uint8Array[] = [];
  const writer = createGzipWriter((chunk) => chunks.push(chunk.slice()));
  for (let at = 0; at < data.length; at += step) writer.push(data.subarray(at, at + step));
  writer.finish();
  return Buffer.concat(chunks);
}

function decompress(data: Uint8Array, step = data.length || 1): Uint8Array {
  const chunks: Uint8Array[] = [];
  using decompressor = createAutoDecompressor((chunk) => chunks.push(chunk.slice()));
  for (let at = 0; at < data.length; at += step) decompressor.push(data.subarray(at, at + step));
  decompressor.finish();
  return Buffer.concat(chunks);
}

const text = Buffer.from(
  Array.from({ length: 60_000 }, (_, i) => `line ${(i * 7919) % 10_007}\n`)
    .join("")
    .repeat(6),
);

test("format 1's gzip does not depend on how the bytes came, and gunzip reads it", () => {
  const whole = gzip(text);
  expect(text.length).toBeGreaterThan(3 * 1024 * 1024);
  for (const step of [1_000_003, 65_536, 4099]) expect(Buffer.compare(gzip(text, step), whole)).toBe(0);
  expect(Buffer.compare(gunzipSync(whole), text)).toBe(0);
  expect(Buffer.compare(decompress(whole, 10_007), text)).toBe(0);
  const tool = Bun.spawnSync(["gzip", "-dc"], { stdin: whole, stdout: "pipe" });
  expect(Buffer.compare(tool.stdout, text)).toBe(0);
});

test("empty and small inputs are whole gzip members", () => {
  expect(Buffer.from(gzip(new Uint8Array(0))).toString("hex")).toBe("1f8b08000000000000ff03000000000000000000");
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), fc.integer({ min: 1, max: 500 }), (data, step) => {
      expect(gunzipSync(gzip(data))).toEqual(Buffer.from(data));
      expect(decompress(gzip(data), step)).toEqual(Buffer.from(data));
      expect(decompress(zstdCompressSync(data), step)).toEqual(Buffer.from(data));
    }),
  );
});

test("several gzip members and zstd frames are read as one, skippable frames and padding too", () => {
  const [a, b] = [Buffer.from("first "), Buffer.from("second")];
  const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
  for (const data of [
    Buffer.concat([gzipSync(a), gzipSync(b)]),
    Buffer.concat([gzipSync(a), gzipSync(b), Buffer.alloc(700)]),
    Buffer.concat([zstdCompressSync(a), zstdCompressSync(b)]),
    Buffer.concat([skippable, zstdCompressSync(a), skippable, zstdCompressSync(b), skippable]),
  ])
    for (const step of [1, 7, data.length]) expect(Buffer.from(decompress(data, step)).toString()).toBe("first second");
});

test("row 11: a stream that stops or is broken is corrupt, wherever", () => {
  for (const whole of [
    gzipSync(text.subarray(0, 5000)),
    zstdCompressSync(text.subarray(0, 5000), { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
  ]) {
    for (let length = 0; length < whole.length; length += length < 30 ? 1 : 97) {
      if (length < 6) continue;
      expect(() => decompress(whole.subarray(0, length), 50)).toThrow(/Cannot decompress/);
    }
    const damaged = Buffer.from(whole);
    damaged[whole.length >> 1]! ^= 0xff;
    let thrown: unknown;
    try {
      // Some flips only change a literal; the checksum at the end finds those.
      decompress(damaged);
    } catch (error) {
      thrown = error;
    }
    expect(isKind(thrown, "corrupt")).toBe(true);
  }
  expect(() => decompress(Buffer.concat([gzipSync(text), Buffer.from("garbage")]))).toThrow(/Cannot decompress/);
  expect(() => decompress(Buffer.concat([zstdCompressSync(text), Buffer.from("garbage")]))).toThrow(
    /Cannot decompress/,
  );
});

test("row 10: a bomb meets the sink's limit long before memory is full", () => {
  const quota = new GantryError("exhausted", { doing: "take bytes", because: "too many" });
  // One member of 100 GB zeros: a block of deflated zeros again and again.
  const block = deflateRawSync(new Uint8Array(16 * 1024 * 1024), { finishFlush: constants.Z_SYNC_FLUSH });
  let taken = 0;
  using decompressor = createDecompressor("gzip", (chunk) => {
    taken += chunk.length;
    if (taken > 64 * 1024 * 1024) throw quota;
  });
  decompressor.push(Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff));
  const before = process.memoryUsage().rss;
  expect(() => {
    for (let i = 0; i < 6400; i++) decompressor.push(block);
  }).toThrow(quota);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
});

test("row 10: a zstd frame that asks for a window of 2^31 bytes is refused", () => {
  // Magic, descriptor without single segment, window descriptor: exponent 21 is 2^31.
  const frame = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0x01, 0, 0);
  expect(() => decompress(frame)).toThrow(/Cannot decompress/);
});

test("xz and bzip2 are known and refused with the next step", () => {
  for (const [tool, name] of [
    ["xz", "xz"],
    ["bzip2", "bzip2"],
  ] as const) {
    const made = Bun.spawnSync([tool, "-c"], { stdin: Buffer.from("x"), stdout: "pipe" });
    expect(detectCompression(made.stdout)).toBe(name);
    expect(() => decompress(made.stdout)).toThrow(`${tool} -d`);
  }
  expect(detectCompression(text)).toBe("none");
  expect(detectCompression(new Uint8Array(0))).toBe("none");
});
