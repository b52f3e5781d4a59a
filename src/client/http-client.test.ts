import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient, pathOf } from "./http-client.ts";

const folder = mkdtempSync(join(tmpdir(), "client-"));
const path = join(folder, "s");
let server: Server;

beforeAll(async () => {
  server = createServer((request, response) => {
    const page = (request.url ?? "").replace(/^\/v[\d.]+/, "");
    if (page === "/empty") response.writeHead(204).end();
    else if (page === "/same") response.writeHead(304).end();
    else if (page === "/refused") response.writeHead(409).end('{"message":"it is in use"}');
    else if (page === "/broken") {
      response.writeHead(200, { "Content-Type": "application/json" });
      response.write("begun");
      setTimeout(() => response.destroy(), 20);
    } else {
      response.writeHead(200, { "Content-Type": "application/json", "X-Page": page });
      request.setEncoding("utf8");
      let body = "";
      request.on("data", (chunk: string) => {
        body += chunk;
      });
      request.on("end", () => response.end(JSON.stringify({ page, body, method: request.method })));
    }
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

const client = createClient(`unix://${path}`);

test("a query leaves out what is undefined and encodes the rest", () => {
  expect(pathOf("/x", { a: undefined, b: "1 2", c: true })).toMatch(/^\/v1\.\d+\/x\?b=1\+2&c=true$/);
});

test("JSON goes out and comes back; an empty answer and 304 are undefined", async () => {
  const answer = await client.request<{ body: string }>("POST", "/echo", { json: { Name: "é" } });
  expect(answer.body).toBe('{"Name":"é"}');
  expect(await client.request<undefined>("POST", "/empty")).toBeUndefined();
  expect(await client.request<undefined>("POST", "/same")).toBeUndefined();
  expect((await client.head("/x")).get("x-page")).toBe("/x");
});

test("a refusal keeps the engine's words and status", async () => {
  await expect(client.request("DELETE", "/refused")).rejects.toMatchObject({
    kind: "conflict",
    message: "it is in use",
  });
});

test("an engine that leaves in the middle is said in words, in an answer and in a stream", async () => {
  await expect(client.request("GET", "/broken")).rejects.toMatchObject({ kind: "unavailable" });
  const stream = await client.stream("GET", "/broken");
  const read = async () => {
    for await (const _ of stream);
  };
  await expect(read()).rejects.toThrow("the connection broke");
});

test("a reader that has enough lets the connection go", async () => {
  const stream = await client.stream("GET", "/echo");
  const reader = stream.getReader();
  await reader.read();
  await reader.cancel();
  expect((await reader.read()).done).toBe(true);
});

test("nobody at the address says how to start the engine", async () => {
  const nobody = createClient(`unix://${folder}/none`);
  await expect(nobody.request("GET", "/x")).rejects.toThrow("gantry engine start");
  await expect(nobody.hijack("/x")).rejects.toThrow("gantry engine start");
});
