import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context } from "./contract.ts";
import { authHeader, credentialsFor, forgetCredentials, keepCredentials, registryKey } from "./credentials.ts";

let folder: string;
let context: Context;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "credentials-"));
  context = { env: { DOCKER_CONFIG: folder } } as unknown as Context;
});

afterEach(() => rmSync(folder, { recursive: true }));

const file = () => join(folder, "config.json");

test("the hub has docker's own key, others are named by host and port", () => {
  for (const server of ["", "docker.io", "https://index.docker.io/v1/"]) {
    expect(registryKey(server)).toBe("https://index.docker.io/v1/");
  }
  expect(registryKey("https://registry.example.org:5000/v2/")).toBe("registry.example.org:5000");
});

test("what is kept is found again, readable by its owner alone, and nothing else in the file is lost", () => {
  writeFileSync(file(), '{"psFormat":"x","auths":{"other:1":{"auth":"YTpi"}}}');
  keepCredentials(context, "127.0.0.1:5000", { username: "me", password: "a:b" });
  expect(statSync(file()).mode & 0o777).toBe(0o600);
  expect(credentialsFor(context, "127.0.0.1:5000")).toMatchObject({ username: "me", password: "a:b" });
  expect(JSON.parse(readFileSync(file(), "utf8"))).toMatchObject({ psFormat: "x", auths: { "other:1": {} } });
  const header = authHeader(context, "127.0.0.1:5000/a/b:1")["X-Registry-Auth"]!;
  expect(JSON.parse(Buffer.from(header, "base64url").toString())).toMatchObject({ username: "me" });
  expect(forgetCredentials(context, "127.0.0.1:5000")).toBe(true);
  expect(forgetCredentials(context, "127.0.0.1:5000")).toBe(false);
  expect(credentialsFor(context, "127.0.0.1:5000")).toBeUndefined();
});

test("no file, an empty entry and a null are no credentials", () => {
  expect(credentialsFor(context, "a:1")).toBeUndefined();
  writeFileSync(file(), "null");
  expect(credentialsFor(context, "a:1")).toBeUndefined();
  writeFileSync(file(), '{"auths":{"a:1":{}}}');
  expect(authHeader(context, "a:1/x")).toEqual({});
});

test("an identity token alone is enough", () => {
  writeFileSync(file(), '{"auths":{"a:1":{"auth":"","identitytoken":"t"}}}');
  expect(credentialsFor(context, "a:1")).toEqual({ identitytoken: "t", serveraddress: "a:1" });
});

test("a broken file or entry is said by its name, and a missing helper too", () => {
  writeFileSync(file(), "{");
  expect(() => credentialsFor(context, "a:1")).toThrow(file());
  writeFileSync(file(), '{"auths":{"a:1":{"auth":"bm9jb2xvbg=="}}}');
  expect(() => credentialsFor(context, "a:1")).toThrow("gantry login a:1");
  writeFileSync(file(), '{"credHelpers":{"a:1":"nosuchhelper"}}');
  expect(() => credentialsFor(context, "a:1")).toThrow("docker-credential-nosuchhelper");
});
