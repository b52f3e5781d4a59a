import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Address } from "./address.ts";
import { openRaw } from "./raw-connection.ts";

/** A server that hands each connection to `serve` once the request's head has come. */
async function serving(serve: (socket: Socket, request: string) => void): Promise<AsyncDisposable & { at: Address }> {
  const folder = mkdtempSync(join(tmpdir(), "raw-"));
  const path = join(folder, "s");
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.once("data", (chunk) => serve(socket, chunk.toString()));
    socket.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    at: { kind: "unix", path },
    async [Symbol.asyncDispose]() {
      server.close();
      rmSync(folder, { recursive: true });
    },
  };
}

const head = (type: string) => `HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.${type}\r\n\r\n`;

async function all(input: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of input) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test("what follows the head in the same packet is not lost, and the request is an upgrade with its body", async () => {
  let asked = "";
  await using server = await serving((socket, request) => {
    asked = request;
    socket.end(`${head("multiplexed-stream")}first`);
  });
  using raw = await openRaw({ host: "x", address: server.at }, "/exec/1/start", { Tty: false });
  expect(raw.multiplexed).toBe(true);
  expect(await all(raw.input)).toBe("first");
  expect(asked).toStartWith("POST /exec/1/start HTTP/1.1\r\n");
  expect(asked).toContain("Upgrade: tcp\r\n");
  expect(asked).toEndWith('Content-Length: 13\r\n\r\n{"Tty":false}');
});

test("half-closing leaves the other half, and all that was written arrives", async () => {
  await using server = await serving((socket) => {
    socket.write(head("raw-stream"));
    let size = 0;
    socket.on("data", (chunk) => {
      size += chunk.length;
    });
    socket.on("end", () => socket.end(`got ${size}`));
  });
  using raw = await openRaw({ host: "x", address: server.at }, "/attach", undefined);
  expect(raw.multiplexed).toBe(false);
  for (let index = 0; index < 20; index += 1) await raw.write(new Uint8Array(256 * 1024));
  raw.end();
  expect(await all(raw.input)).toBe(`got ${20 * 256 * 1024}`);
});

test("a head in pieces is put together", async () => {
  await using server = await serving((socket) => {
    const text = `${head("raw-stream")}x`;
    socket.write(text.slice(0, 20));
    setTimeout(() => socket.end(text.slice(20)), 10);
  });
  using raw = await openRaw({ host: "x", address: server.at }, "/attach", undefined);
  expect(await all(raw.input)).toBe("x");
});

test("a refusal whose body comes later is read whole", async () => {
  const body = '{"message":"No such container: a"}';
  await using server = await serving((socket) => {
    socket.write(`HTTP/1.1 404 Not Found\r\nContent-Length: ${body.length}\r\n\r\n`);
    setTimeout(() => socket.write(body), 10);
  });
  await expect(openRaw({ host: "x", address: server.at }, "/attach", undefined)).rejects.toMatchObject({
    kind: "not-found",
    message: "No such container: a",
  });
});

test("an engine that closes before it answers, or answers without end, is unavailable", async () => {
  await using closing = await serving((socket) => socket.end());
  await expect(openRaw({ host: "x", address: closing.at }, "/attach", undefined)).rejects.toMatchObject({
    kind: "unavailable",
  });
  await using endless = await serving((socket) => socket.write("x".repeat(100_000)));
  await expect(openRaw({ host: "x", address: endless.at }, "/attach", undefined)).rejects.toMatchObject({
    kind: "unavailable",
  });
});

test("a slow reader of much output gets every byte", async () => {
  const size = 8 * 1024 * 1024;
  await using server = await serving((socket) => {
    socket.write(head("raw-stream"));
    socket.end(Buffer.alloc(size, 1));
  });
  using raw = await openRaw({ host: "x", address: server.at }, "/attach", undefined);
  let total = 0;
  for await (const chunk of raw.input) {
    if (total < 500_000) await Bun.sleep(2);
    total += chunk.length;
  }
  expect(total).toBe(size);
});

test("writing after the engine has gone fails instead of waiting for ever", async () => {
  await using server = await serving((socket) => {
    socket.write(head("raw-stream"));
    setTimeout(() => socket.destroy(), 10);
  });
  using raw = await openRaw({ host: "x", address: server.at }, "/attach", undefined);
  await all(raw.input);
  await expect(raw.write(new Uint8Array(10))).rejects.toMatchObject({ kind: "unavailable" });
});
