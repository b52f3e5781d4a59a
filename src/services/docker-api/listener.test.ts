import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import type { Route } from "./contract.ts";
import { createListener } from "./listener.ts";

const folder = mkdtempSync(join(tmpdir(), "listener-"));
const path = join(folder, "s");
const told: string[] = [];
const left = Promise.withResolvers<void>();
const broken = () => new GantryError("corrupt", { doing: "stream", because: "a block is damaged" });

const routes: Route[] = [
  { method: "GET", path: "/plain", handle: () => ({ status: 200, json: { a: 1 } }) },
  {
    method: "GET",
    path: "/refused",
    handle: () => {
      throw new GantryError("conflict", { doing: "do it", because: "it is done" });
    },
  },
  {
    method: "GET",
    path: "/lines",
    handle: () => ({
      status: 200,
      headers: { "Content-Type": "application/json" },
      stream: async (out) => {
        await out.write('{"status":"one"}\n');
        throw broken();
      },
    }),
  },
  {
    method: "GET",
    path: "/archive",
    handle: () => ({
      status: 200,
      headers: { "Content-Type": "application/x-tar" },
      stream: async (out) => {
        await out.write("half of it");
        throw broken();
      },
    }),
  },
  {
    method: "GET",
    path: "/large",
    handle: () => ({
      status: 200,
      stream: async (out) => {
        for (let index = 0; index < 64; index += 1) await out.write(Buffer.alloc(256 * 1024, index));
      },
    }),
  },
  {
    method: "GET",
    path: "/endless",
    handle: (call) => {
      call.signal.addEventListener("abort", () => left.resolve());
      return {
        status: 200,
        stream: async (out) => {
          await out.write("begun");
          await left.promise;
        },
      };
    },
  },
  {
    method: "POST",
    path: "/echo",
    handle: async (call) => {
      const { Prefix } = await call.json<{ Prefix: string }>();
      return {
        contentType: "application/vnd.docker.raw-stream",
        hijack: async (socket) => {
          await new Promise<void>((resolve) => {
            socket.on("data", (chunk: Buffer) => socket.write(`${Prefix ?? ""}${chunk.toString()}`));
            socket.on("end", resolve);
          });
          socket.write("bye");
        },
      };
    },
  },
  {
    method: "POST",
    path: "/breaks",
    handle: () => ({
      contentType: "application/vnd.docker.raw-stream",
      hijack: async (socket) => {
        socket.write("begun");
        throw broken();
      },
    }),
  },
];

let server: Server;

beforeAll(async () => {
  server = createListener({ routes, headers: { Server: "test" }, onError: (_error, what) => told.push(what) });
  await new Promise<void>((resolve) => server.listen(path, resolve));
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

const get = (page: string) => fetch(`http://engine${page}`, { unix: path });

/** Everything the other side sends until it ends. */
async function raw(write: (socket: Socket) => void): Promise<string> {
  const socket = connect({ path, allowHalfOpen: true });
  const chunks: Buffer[] = [];
  await new Promise<void>((resolve, reject) => {
    socket.on("connect", () => write(socket));
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("end", resolve);
    socket.on("error", reject);
  });
  socket.destroy();
  return Buffer.concat(chunks).toString();
}

const upgrade = (page: string, body = "") =>
  `POST ${page} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

test("a refusal before the head has its status, the words and the kind", async () => {
  const answer = await get("/refused");
  expect(answer.status).toBe(409);
  expect(await answer.json()).toEqual({ message: "Cannot do it: it is done", kind: "conflict" });
  expect((await get("/nowhere")).status).toBe(404);
  expect(answer.headers.get("server")).toBe("test");
});

test("a stream of lines that breaks ends with the error as a line", async () => {
  const lines = (await (await get("/lines")).text()).trim().split("\n");
  expect(JSON.parse(lines[1]!)).toMatchObject({ error: "Cannot stream: a block is damaged" });
  expect(told).toContain("GET /lines");
});

test("an archive that breaks never looks whole", async () => {
  const answer = await raw((socket) => socket.write("GET /archive HTTP/1.1\r\nHost: x\r\n\r\n"));
  expect(answer).toContain("half of it");
  expect(answer).not.toContain("0\r\n\r\n");
  expect(answer).not.toContain("damaged");
});

test("a slow reader gets every byte", async () => {
  const reader = (await get("/large")).body!.getReader();
  let total = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    total += next.value.length;
    if (total < 1_000_000) await Bun.sleep(5);
  }
  expect(total).toBe(64 * 256 * 1024);
});

test("a client that leaves in the middle aborts the call's signal", async () => {
  const stop = new AbortController();
  const answer = await fetch("http://engine/endless", { unix: path, signal: stop.signal });
  await answer.body!.getReader().read();
  stop.abort();
  await left.promise;
});

test("an upgraded connection carries both directions, and half-closing it leaves the other half", async () => {
  const answer = await raw((socket) => {
    socket.write(upgrade("/echo", '{"Prefix":">"}'));
    socket.once("data", () => socket.end("hello"));
  });
  expect(answer).toStartWith("HTTP/1.1 101 UPGRADED\r\n");
  expect(answer).toEndWith(">hellobye");
});

test("a refused upgrade answers as HTTP and closes", async () => {
  const answer = await raw((socket) => socket.write(upgrade("/plain")));
  expect(answer).toStartWith("HTTP/1.1 404");
  expect(answer).toContain("Connection: close");
});

test("a stream that breaks after the upgrade ends without an answer's head among its bytes", async () => {
  const answer = await raw((socket) => socket.write(upgrade("/breaks")));
  expect(answer).toEndWith("begun");
  expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
  expect(told).toContain("POST /breaks");
});

test("without an upgrade a stream whose body was read sees the end of its input", async () => {
  const answer = await fetch("http://engine/echo", { unix: path, method: "POST", body: '{"Prefix":"-"}' });
  expect(answer.headers.get("content-type")).toBe("application/vnd.docker.raw-stream");
  expect(await answer.text()).toBe("bye");
});

test("a request whose large body nobody reads is answered, and the server goes on", async () => {
  const body = new Uint8Array(8 * 1024 * 1024);
  const answer = await fetch("http://engine/nowhere", { unix: path, method: "POST", body });
  expect(answer.status).toBe(404);
  expect((await get("/plain")).status).toBe(200);
});

test("a request line of half a megabyte is read, as dockerode writes for a thousand ports", async () => {
  const response = await fetch(`http://engine/plain?${"x".repeat(512 * 1024)}`, { unix: path });
  expect([response.status, await response.json()]).toEqual([200, { a: 1 }]);
});
