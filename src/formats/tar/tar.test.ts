import { expect, test } from "bun:test";
import fc from "fast-check";
import { isKind } from "#base/core/errors.ts";
import type { EntryType, TarEntry, TarReaderLimits } from "./contract.ts";
import { paxRecord } from "./pax.ts";
import { createTarReader } from "./reader.ts";
import { createTarWriter, tarEntry } from "./writer.ts";

interface Whole {
  readonly entry: TarEntry;
  readonly content: Uint8Array;
}

const bytes = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));

function writeTar(entries: readonly Whole[]): Uint8Array {
  const chunks: Uint8Array[] = [];
  const writer = createTarWriter((chunk) => chunks.push(chunk.slice()));
  for (const { entry, content } of entries) {
    writer.entry(entry);
    writer.data(content);
  }
  writer.finish();
  return Buffer.concat(chunks);
}

function readTar(tar: Uint8Array, limits?: TarReaderLimits, step = tar.length): Whole[] {
  const found: { entry: TarEntry; chunks: Uint8Array[] }[] = [];
  const reader = createTarReader(
    {
      entry: (entry) => found.push({ entry, chunks: [] }),
      data: (chunk) => found.at(-1)!.chunks.push(chunk.slice()),
      end: () => undefined,
    },
    limits,
  );
  for (let at = 0; at < tar.length; at += step) reader.push(tar.subarray(at, at + step));
  reader.finish();
  return found.map(({ entry, chunks }) => ({ entry, content: new Uint8Array(Buffer.concat(chunks)) }));
}

/** A header made by hand, for what no writer writes. */
function header(name: string, type: string, size: number): Uint8Array {
  const [block] = [writeTar([{ entry: tarEntry({ name: bytes(name), type: "fifo" }), content: bytes("") }])];
  const made = block!.slice(0, 512);
  made.set(bytes(size.toString(8).padStart(11, "0")), 124);
  made[156] = type.charCodeAt(0);
  return sum(made);
}

function sum(block: Uint8Array): Uint8Array {
  block.fill(0x20, 148, 156);
  const total = block.reduce((all, byte) => all + byte, 0);
  block.set(bytes(`${total.toString(8).padStart(6, "0")}\0 `), 148);
  return block;
}

function padded(data: Uint8Array): Uint8Array {
  return Buffer.concat([data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
}

const end = new Uint8Array(1024);

const nameBytes = fc
  .uint8Array({ minLength: 1, maxLength: 300 })
  .map((name) => name.map((byte) => (byte === 0 ? 0x2f : byte)))
  // "\0"-typed directories aside, a file's name may end in any byte.
  .filter((name) => name.length > 0);
const anyEntry: fc.Arbitrary<Whole> = fc
  .record({
    name: nameBytes,
    type: fc.constantFrom<EntryType[]>("file", "hardlink", "symlink", "character", "block", "directory", "fifo"),
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: fc.oneof(fc.nat(70_000), fc.constant(0xffff_fffe)),
    gid: fc.oneof(fc.nat(70_000), fc.constant(2_097_152)),
    modified: fc.record({
      seconds: fc.oneof(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), fc.constant(0)),
      nanoseconds: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 999_999_999 })),
    }),
    link: nameBytes,
    xattrs: fc.dictionary(
      fc.constantFrom("user.a", "security.capability", "user.b c"),
      fc.uint8Array({ maxLength: 40 }),
    ),
    major: fc.nat(4095),
    minor: fc.nat(1_048_575),
    content: fc.uint8Array({ maxLength: 1500 }),
    userName: fc.stringMatching(/^[a-z]{0,40}$/).map(bytes),
  })
  .map(({ link, content, xattrs, major, minor, ...fields }) => {
    const device = fields.type === "character" || fields.type === "block";
    const stored = fields.type === "file" ? content : bytes("");
    return {
      entry: tarEntry({
        ...fields,
        size: stored.length,
        linkName: fields.type === "hardlink" || fields.type === "symlink" ? link : bytes(""),
        major: device ? major : 0,
        minor: device ? minor : 0,
        xattrs: new Map(Object.entries(xattrs)),
      }),
      content: stored,
    };
  });

test("what is written is read back, byte for byte, in chunks of any size", () => {
  fc.assert(
    fc.property(fc.array(anyEntry, { maxLength: 5 }), fc.integer({ min: 1, max: 2000 }), (entries, step) => {
      const tar = writeTar(entries);
      expect(tar.length % 512).toBe(0);
      expect(readTar(tar, undefined, step)).toEqual(entries);
    }),
  );
});

test("the same entries give the same bytes whatever order their xattrs came in", () => {
  const make = (names: string[]) =>
    writeTar([
      {
        entry: tarEntry({
          name: bytes("a"),
          type: "directory",
          xattrs: new Map(names.map((name) => [name, bytes(name)])),
        }),
        content: bytes(""),
      },
    ]);
  expect(make(["user.a", "user.b", "security.capability"])).toEqual(make(["security.capability", "user.b", "user.a"]));
});

test("row 8: a PAX size before a GNU long name belongs to the file, not to the name (CVE-2026-53655)", () => {
  const size = paxRecord("size", bytes("4"));
  const tar = Buffer.concat([
    header("pax", "x", size.length),
    padded(size),
    header("././@LongLink", "L", 5),
    padded(bytes("long\0")),
    header("short", "0", 0),
    padded(bytes("data")),
    header("after", "0", 0),
    end,
  ]);
  const read = readTar(tar);
  expect(read.map(({ entry }) => Buffer.from(entry.name).toString())).toEqual(["long", "after"]);
  expect(Buffer.from(read[0]!.content).toString()).toBe("data");
});

test("row 9: a PAX record or an extended header of 8 GiB is refused without memory", () => {
  const claim = bytes("8589934592 path=x\n");
  expect(() => readTar(Buffer.concat([header("p", "x", claim.length), padded(claim), end]))).toThrow(/record's length/);
  expect(() => readTar(Buffer.concat([header("p", "x", 0o77777777777), end]))).toThrow(/more than 1048576/);
  expect(() => readTar(Buffer.concat([header("p", "L", 2_000_000), end]))).toThrow(/more than 1048576/);
});

test("row 9: a sparse map of ten million segments is refused early, in every format (CVE-2025-58183)", () => {
  const pax = (records: [string, string][]) => {
    const body = Buffer.concat(records.map(([key, value]) => paxRecord(key, bytes(value))));
    return Buffer.concat([header("p", "x", body.length), padded(body)]);
  };
  const version1 = pax([
    ["GNU.sparse.major", "1"],
    ["GNU.sparse.minor", "0"],
    ["GNU.sparse.realsize", "99999999"],
  ]);
  expect(() =>
    readTar(Buffer.concat([version1, header("f", "0", 0o77777777), padded(bytes("10000000\n")), end])),
  ).toThrow(/more than 100000 segments/);
  const map = Array.from({ length: 110_000 }, (_, i) => `${i},0`).join(",");
  expect(() =>
    readTar(Buffer.concat([pax([["GNU.sparse.map", map.slice(0, 900_000)]]), header("f", "0", 0), end]), {
      segments: 1000,
    }),
  ).toThrow(/more than 1000 segments/);
  const old = header("f", "S", 0).slice();
  old[482] = 1;
  const more = new Uint8Array(512);
  for (let i = 0; i < 21; i++) more.set(bytes("00000000001\x0000000000000\0"), i * 24);
  more[504] = 1;
  const blocks = Array.from({ length: 100 }, () => more);
  expect(() => readTar(Buffer.concat([sum(old), ...blocks]), { segments: 1000 })).toThrow(/more than 1000 segments/);
});

test("a sparse map that overlaps, leaves the file or does not add up is refused", () => {
  for (const [map, real, stored] of [
    ["0,4,2,4", 10, 8],
    ["0,4,8,4", 10, 8],
    ["0,4,6,4", 10, 9],
    ["0,4,6", 10, 4],
  ] as const) {
    const body = Buffer.concat([
      paxRecord("GNU.sparse.map", bytes(map)),
      paxRecord("GNU.sparse.size", bytes(String(real))),
    ]);
    const tar = Buffer.concat([
      header("p", "x", body.length),
      padded(body),
      header("f", "0", stored),
      new Uint8Array(512),
      end,
    ]);
    expect(() => readTar(tar)).toThrow(/Cannot read the tar archive/);
  }
});

const broken: Record<string, () => Uint8Array> = {
  "a wrong checksum": () => header("a", "0", 0).fill(0x41, 0, 1),
  "text instead of a header": () => bytes("no tar\n".repeat(100)),
  "an end inside the content": () => Buffer.concat([header("a", "0", 1000), new Uint8Array(300)]),
  "an end inside a header": () => header("a", "0", 0).slice(0, 300),
  "an end after an extended header": () => Buffer.concat([header("p", "x", 11), padded(bytes("11 path=ab\n")), end]),
  "one zero block and then more": () => Buffer.concat([new Uint8Array(512), header("a", "0", 0), end]),
  "a directory with content": () => Buffer.concat([header("a", "5", 10), new Uint8Array(512), end]),
  "a symlink with content": () => Buffer.concat([header("a", "2", 10), new Uint8Array(512), end]),
  "letters in its size": () => sum(header("a", "0", 0).fill(0x7a, 124, 135)),
  "the owner 4294967295": () => sum(Buffer.concat([header("a", "0", 0)]).fill(0xff, 108, 116)),
  "a NUL in a PAX path": () =>
    Buffer.concat([header("p", "x", 12), padded(bytes("12 path=a\0b\n")), header("a", "0", 0), end]),
  "a PAX record without =": () =>
    Buffer.concat([header("p", "x", 7), padded(bytes("7 abcd\n")), header("a", "0", 0), end]),
  "a global PAX path": () =>
    Buffer.concat([header("p", "g", 11), padded(bytes("11 path=ab\n")), header("a", "0", 0), end]),
};

for (const [name, make] of Object.entries(broken))
  test(`an archive with ${name} is corrupt`, () => {
    let thrown: unknown;
    try {
      readTar(make());
    } catch (error) {
      thrown = error;
    }
    expect(isKind(thrown, "corrupt")).toBe(true);
  });

test("multi-volume and dump entries are refused as unsupported", () => {
  for (const type of ["M", "D", "N", "Z"])
    expect(() => readTar(Buffer.concat([header("a", type, 0), end]))).toThrow(/entry of type/);
});

test("any bytes are read or refused, never anything else", () => {
  const valid = writeTar([{ entry: tarEntry({ name: bytes("a"), type: "file", size: 3 }), content: bytes("abc") }]);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 6 }),
      fc.boolean(),
      (edits, mend) => {
        const damaged = valid.slice();
        for (const [at, byte] of edits) damaged[at] = byte;
        if (mend) sum(damaged.subarray(0, 512));
        try {
          readTar(damaged);
        } catch (error) {
          if (!isKind(error, "corrupt") && !isKind(error, "unsupported")) throw error;
        }
      },
    ),
    { numRuns: 500 },
  );
});
