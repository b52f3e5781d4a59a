import { expect, test } from "bun:test";
import type { IncomingMessage } from "node:http";
import { webGuard } from "./web-guard.ts";

const guard = webGuard(["engine.example.org"]);
const ask =
  (headers: Record<string, string>, method = "GET") =>
  () =>
    guard({ headers, method, url: "/info" } as unknown as IncomingMessage);

test("clients by address, by localhost and by a name of the certificate are served", () => {
  for (const host of ["127.0.0.1:2375", "[::1]:2375", "localhost", "LOCALHOST:1", "engine.example.org:2376"])
    expect(ask({ host })).not.toThrow();
  expect(ask({ host: "localhost", "content-type": "application/json" }, "POST")).not.toThrow();
  expect(ask({ host: "localhost", "content-type": "application/x-tar" }, "PUT")).not.toThrow();
  expect(ask({ host: "localhost", "content-type": "text/plain", upgrade: "tcp" }, "POST")).not.toThrow();
});

test("a page of another origin, a rebound name and a form are refused", () => {
  expect(ask({ host: "localhost", origin: "http://evil.example" })).toThrow("Origin");
  expect(ask({ host: "localhost", origin: "null" })).toThrow("Origin");
  expect(ask({ host: "evil.example:2375" })).toThrow("no address of this engine");
  expect(ask({})).toThrow("no address of this engine");
  for (const type of ["text/plain", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded"])
    expect(ask({ host: "localhost", "content-type": type }, "POST")).toThrow("form of a web page");
});
