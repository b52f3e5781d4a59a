import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { GrpcServer, grpcClient } from "#services/docker-api/buildkit/h2c.ts";
import { Control } from "#services/docker-api/buildkit/protos/control.gen.ts";
import { FileSync, type StatSchema } from "#services/docker-api/buildkit/protos/session.gen.ts";
import { startEngine, type TestEngine } from "./support/engine.ts";

/** A client of BuildKit's protocol that lies about its files, packet by packet. */
let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

function dial(
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ socket: Socket; status: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(engine.socket);
    const lines = Object.entries({ Host: "engine", Connection: "Upgrade", Upgrade: "h2c", ...headers });
    socket.write(`POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`);
    socket.once("error", reject);
    socket.once("data", (data) => resolve({ socket, status: data.toString().split("\r\n")[0]! }));
  });
}

type Stat = MessageInitShape<typeof StatSchema>;
const folder = 2 ** 31 + 0o755;
const symlink = 2 ** 27 + 0o777;
let count = 0;

/** Builds `COPY . /x` with a context of these entries; each file holds "owned". */
async function build(context: readonly Stat[]): Promise<string> {
  count += 1;
  const session = `session-${count}`;
  const files = new GrpcServer((router) =>
    router.service(FileSync, {
      async *diffCopy(requests, { requestHeader }) {
        const isDockerfile = requestHeader.get("dir-name") === "dockerfile";
        const onlySome = requestHeader.get("followpaths") !== null;
        const stats = isDockerfile ? [{ path: "Dockerfile", mode: 0o644, size: 31n }] : onlySome ? [] : context;
        for (const stat of stats) yield { type: 0, stat };
        yield { type: 0 };
        for await (const { type, id } of requests) {
          const data = Buffer.from(isDockerfile ? "FROM busybox\nCOPY . /x\nCMD id\n" : "owned");
          if (type === 1)
            yield* [
              { type: 2, id, data },
              { type: 2, id },
            ];
          if (type === 3) {
            yield { type: 3 };
            return;
          }
        }
      },
    }),
  );
  const opened = await dial("/session", { "X-Docker-Expose-Session-Uuid": session });
  const served = files.serve(opened.socket);
  const control = await dial("/grpc");
  try {
    const solved = await createClient(Control, grpcClient(control.socket))
      .solve({ ref: `ref-${count}`, session, frontend: "dockerfile.v0", exporters: [{ type: "moby" }] })
      .then(
        ({ exporterResponse }) => exporterResponse["containerimage.digest"] ?? "",
        (error: Error) => `refused: ${error.message}`,
      );
    return solved;
  } finally {
    control.socket.destroy();
    opened.socket.destroy();
    await served;
  }
}

test("an honest context made by hand is built", async () => {
  const digest = await build([
    { path: "d", mode: folder },
    { path: "d/f", mode: 0o644, size: 5n },
  ]);
  expect(digest).toStartWith("sha256:");
  expect((await engine.client(["docker", "run", "--rm", digest, "cat", "/x/d/f"])).out).toBe("owned");
});

test("no path of a client leads out of its context: nothing is written, the path is named", async () => {
  const target = join(engine.folder, "target");
  writeFileSync(target, "mine");
  const up = "../".repeat(12);
  for (const entries of [
    [{ path: "../../escaped", mode: 0o644, size: 5n }],
    [{ path: `${up}${engine.folder}/escaped`, mode: 0o644, size: 5n }],
    [{ path: `${engine.folder}/escaped`, mode: 0o644, size: 5n }],
    [
      { path: "..", mode: folder },
      { path: "../escaped", mode: 0o644, size: 5n },
    ],
    [
      { path: "d", mode: folder },
      { path: "d/../../escaped", mode: 0o644, size: 5n },
    ],
    [
      { path: "l", mode: symlink, linkname: engine.folder },
      { path: "l/escaped", mode: 0o644, size: 5n },
    ],
    [
      { path: "l", mode: symlink, linkname: target },
      { path: "l", mode: 0o644, size: 5n },
    ],
    [{ path: "h", mode: 0o644, size: 4n, linkname: target }],
    [{ path: "h", mode: 0o644, size: 4n, linkname: `${up}${target}` }],
    [
      { path: "l", mode: symlink, linkname: target },
      { path: "h", mode: 0o644, size: 4n, linkname: "l" },
    ],
  ] as const satisfies Stat[][]) {
    const path = entries.find((entry) => entry.path === "..")?.path ?? entries.at(-1)!.path;
    expect(await build(entries)).toContain(
      `refused: [unknown] Cannot receive from the client's session ${JSON.stringify(path)}`,
    );
    expect(existsSync(join(engine.folder, "escaped"))).toBe(false);
    expect(await Bun.file(target).text()).toBe("mine");
    expect(readdirSync(join(engine.folder, "data/contexts"))).toEqual([]);
  }
});

test("a link that leads out is copied as a link, never read through", async () => {
  const digest = await build([{ path: "l", mode: symlink, linkname: "/etc/hostname" }]);
  expect((await engine.client(["docker", "run", "--rm", digest, "readlink", "/x/l"])).out).toBe("/etc/hostname\n");
});

test("a connection that asks for something else, and a session id that is taken, are refused", async () => {
  expect((await dial("/grpc", { Upgrade: "tcp" })).status).toContain(" 400 ");
  const plain = await fetch("http://engine/grpc", { method: "POST", unix: engine.socket });
  expect(plain.status).toBe(400);
  const first = await dial("/session", { "X-Docker-Expose-Session-Uuid": "taken" });
  const second = await dial("/session", { "X-Docker-Expose-Session-Uuid": "taken" });
  await new Promise((resolve) => second.socket.once("close", resolve));
  expect(first.socket.destroyed).toBe(false);
  first.socket.destroy();
});
