import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startEngine, type TestEngine } from "./support/engine.ts";

let engine: TestEngine;

beforeAll(async () => {
  engine = await startEngine();
});

afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

test("a secret is a file in memory, in no answer and on no disk, through restarts and a killed engine", async () => {
  const value = `hidden-${crypto.randomUUID()}`;
  const file = join(engine.folder, "token");
  writeFileSync(file, value);
  const script = "stat -c '%a %u' /run/secrets/a; cat /run/secrets/a; sleep 1000";
  await engine.ok("run", "-d", "--name", "s", "--secret", `id=a,src=${file}`, "busybox", "sh", "-c", script);
  expect(await engine.ok("logs", "s")).toBe(`400 0\n${value}`);
  expect(await engine.ok("exec", "s", "sh", "-c", "echo x > /run/secrets/a; grep /run/secrets/a /proc/mounts")).toMatch(
    /^secrets \/run\/secrets\/a tmpfs ro/,
  );
  expect(await engine.ok("inspect", "s")).not.toContain(value);
  process.kill(await engine.pid(), "SIGKILL");
  await engine.ok("restart", "-t", "0", "s");
  expect(await engine.ok("exec", "s", "cat", "/run/secrets/a")).toBe(value);
  const { out } = await engine.client(["grep", "-rl", value, join(engine.folder, "data"), "--exclude=log"]);
  expect(out).toBe("");
  await engine.ok("rm", "-f", "s");
  const missing = await engine.gantry("run", "--secret", "id=a,src=/no/such", "busybox", "true");
  expect(missing.err).toContain("the file /no/such cannot be read");
  expect(await engine.ok("ps", "-aq")).toBe("");
});
