import { expect, test } from "bun:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { createRouterTransport } from "@connectrpc/connect";
import type { TarEntry } from "#formats/tar/contract.ts";
import type { Session } from "./contract.ts";
import { syncFolder } from "./filesync.ts";
import { FileSync, type PacketSchema, type StatSchema } from "./protos/session.gen.ts";

type Stat = MessageInitShape<typeof StatSchema>;
type Packet = MessageInitShape<typeof PacketSchema>;

const folder = 2 ** 31 + 0o755;
const symlink = 2 ** 27 + 0o777;
const [stat, request, data, end, error] = [0, 1, 2, 3, 4] as const;

/** A client that announces `stats` and answers what it is asked by `answer`. */
function clientOf(
  stats: readonly Stat[],
  answer: (id: number, path: string) => Packet[],
  told: Packet[] = [],
): Session {
  const transport = createRouterTransport(({ service }) => {
    service(FileSync, {
      async *diffCopy(requests, { requestHeader }) {
        told.push({ data: Buffer.from(requestHeader.get("exclude-patterns") ?? "") });
        for (const one of stats) yield { type: stat, stat: one };
        yield { type: stat };
        for await (const { type, id } of requests) {
          if (type === request) yield* answer(id, stats[id]?.path ?? "");
          if (type === end) {
            yield { type: end };
            return;
          }
        }
      },
    });
  });
  return { id: "test", transport, serves: () => true, gone: new AbortController().signal };
}

const whole = (text: (path: string) => string) => (id: number, path: string) => [
  { type: data, id, data: Buffer.from(text(path)) },
  { type: data, id },
];

async function receive(session: Session, exclude: readonly string[] = []) {
  const entries: [string, string, string][] = [];
  const sink = async (entry: TarEntry, content?: Uint8Array | AsyncIterable<Uint8Array>) => {
    const pieces: Uint8Array[] = [];
    if (content instanceof Uint8Array) pieces.push(content);
    else if (content !== undefined) for await (const piece of content) pieces.push(piece);
    const text = Buffer.concat(pieces.length > 0 ? pieces : [entry.linkName]).toString();
    entries.push([Buffer.from(entry.name).toString(), entry.type, text]);
  };
  await syncFolder(session, { folder: "context", exclude, signal: new AbortController().signal }, sink);
  return entries;
}

test("folders, files, links and hard links arrive, a hard link after the file it names", async () => {
  const stats: Stat[] = [
    { path: "a", mode: folder },
    { path: "a/f", mode: 0o644, size: 3n },
    { path: "a/h", mode: 0o644, size: 3n, linkname: "a/f" },
    { path: "l", mode: symlink, linkname: "../anywhere" },
    { path: "z", mode: 0o600, size: 1n },
  ];
  const told: Packet[] = [];
  const entries = await receive(
    clientOf(
      stats,
      whole((path) => `is ${path}`),
      told,
    ),
    ["a,b", "ü %41"],
  );
  expect(entries).toEqual([
    ["a/", "directory", ""],
    ["l", "symlink", "../anywhere"],
    ["a/f", "file", "is a/f"],
    ["z", "file", "is z"],
    ["a/h", "hardlink", "a/f"],
  ]);
  expect(Buffer.from(told[0]!.data!).toString()).toBe("a%2Cb, %C3%BC%20%2541");
});

test("a big file passes through while others wait, and gets no byte more than was announced", async () => {
  const stats: Stat[] = [
    { path: "big", mode: 0o644, size: BigInt(5 * 1024 * 1024) },
    { path: "small", mode: 0o644, size: 1n },
  ];
  const piece = Buffer.alloc(1024 * 1024, "x");
  const answer = (id: number, path: string): Packet[] =>
    path === "big"
      ? [...Array.from({ length: 6 }, () => ({ type: data, id, data: piece })), { type: data, id }]
      : whole(() => "s")(id, path);
  const entries = await receive(clientOf(stats, answer));
  expect(entries.map(([name, , text]) => [name, text.length])).toEqual([
    ["big", 5 * 1024 * 1024],
    ["small", 1],
  ]);
});

test("a path that leads out, is no path, or goes through a link is refused by its name", async () => {
  const file = (path: string): Stat => ({ path, mode: 0o644 });
  for (const [stats, because] of [
    [[file("../x")], "does not name a place inside"],
    [[{ path: "../d", mode: folder }, file("../d/x")], "does not name a place inside"],
    [[file("/etc/x")], "does not name a place inside"],
    [[file("a/../../x")], "does not name a place inside"],
    [[file("..")], "does not name a place inside"],
    [[file(".")], "does not name a place inside"],
    [[file("a//b")], "does not name a place inside"],
    [[file("a\0b")], "does not name a place inside"],
    [[file("no/parent")], "no folder that was sent before"],
    [[{ path: "l", mode: symlink, linkname: "/etc" }, file("l/x")], "no folder that was sent before"],
    [[file("f"), file("f/x")], "no folder that was sent before"],
    [[{ path: "l", mode: symlink, linkname: "/etc/x" }, file("l")], "it was sent twice"],
    [[{ ...file("h"), linkname: "../../etc/shadow" }], "no file that was sent before"],
    [
      [
        { path: "l", mode: symlink, linkname: "/x" },
        { ...file("h"), linkname: "l" },
      ],
      "no file that was sent before",
    ],
    [[{ path: "d", mode: 2 ** 26 + 0o600, devmajor: 8n }], "neither a file, a folder nor a link"],
  ] as const satisfies [Stat[], string][]) {
    await expect(
      receive(
        clientOf(
          stats,
          whole(() => ""),
        ),
      ),
    ).rejects.toThrow(because);
  }
});

test("a client that breaks the protocol ends the reception with what it did", async () => {
  const stats: Stat[] = [{ path: "f", mode: 0o644, size: 1n }];
  const piece = Buffer.alloc(4 * 1024 * 1024);
  for (const [answer, because] of [
    [() => [{ type: data, id: 7, data: piece }], "bytes came that nobody asked for"],
    [(id: number) => Array.from({ length: 3 }, () => ({ type: data, id, data: piece })), "far more bytes"],
    [() => [{ type: error, data: Buffer.from("disk on fire") }], "the client says: disk on fire"],
    [() => [{ type: 99 }], "a packet of kind 99"],
  ] as const satisfies [(id: number) => Packet[], string][]) {
    await expect(receive(clientOf(stats, answer))).rejects.toThrow(because);
  }
  const big: Stat[] = [{ path: "b", mode: 0o644, size: BigInt(5 * 1024 * 1024) }];
  await expect(
    receive(
      clientOf(
        big,
        whole(() => "short"),
      ),
    ),
  ).rejects.toThrow("became shorter");
});
