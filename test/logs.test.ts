import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { startEngine, type TestEngine } from "./support/engine.ts";

/** Logs as users and docker read them: rotation, clearing, and an engine that dies in between. */
let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine();
  await engine.ok("info");
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

/** Each line is 250 bytes and begins with its number. */
const count = (from: number, to: number) =>
  `w=$(head -c 240 /dev/zero | tr "\\0" x); i=${from}; while [ $i -lt ${to} ]; do echo $i $w; i=$((i+1)); done`;
const numbers = (out: string) =>
  out
    .trimEnd()
    .split("\n")
    .map((line) => Number(line.split(" ")[0]));
const several = ["--log-opt", "max-size=1m", "--log-opt", "max-file=3", "--log-opt", "compress=true"];

/** Bytes of its log on disk, second names not counted again. */
async function logBytes(name: string): Promise<number> {
  const folder = join(engine.env.GANTRY_DATA_ROOT!, "containers", await engine.ok("inspect", "-f", "{{.Id}}", name));
  const files = (readdirSync(folder, { recursive: true }) as string[]).map((file) => statSync(join(folder, file)));
  const sizes = new Map(files.filter((file) => file.isFile()).map((file) => [file.ino, file.size]));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

test("docker logs -f of a log in three files shows every line once; afterwards what was asked for is kept", async () => {
  const total = 100_000;
  await engine.ok("create", "--name", "turns", ...several, "busybox", "sh", "-c", count(0, total));
  await engine.ok("start", "turns");
  const { out } = await engine.client(["docker", "logs", "-f", "turns"]);
  expect(numbers(out)).toEqual(Array.from({ length: total }, (_none, at) => at).slice(-numbers(out).length));
  expect(numbers(out).length).toBeGreaterThan(total * 0.9);
  expect(await logBytes("turns")).toBeLessThanOrEqual(3 * 2 ** 20);
  const kept = numbers(await engine.ok("logs", "turns"));
  expect(kept).toEqual(Array.from({ length: kept.length }, (_none, at) => total - kept.length + at));
  expect(kept.length).toBeGreaterThan(7000);
  expect(numbers(await engine.ok("logs", "-n", "6000", "turns"))).toEqual(kept.slice(-6000));
  await engine.ok("rm", "turns");
});

test("logs --clear drops what was written by a container that runs, and it goes on", async () => {
  const script = "echo before; until [ -e /go ]; do sleep 0.05; done; echo after; sleep 1000";
  await engine.ok("run", "-d", "--name", "cleared", ...several, "busybox", "sh", "-c", script);
  while ((await engine.ok("logs", "cleared")) !== "before");
  await engine.ok("logs", "--clear", "cleared");
  expect(await engine.ok("logs", "cleared")).toBe("");
  await engine.ok("exec", "cleared", "touch", "/go");
  while ((await engine.ok("logs", "cleared")) !== "after");
  await engine.ok("rm", "-f", "cleared");
  expect((await engine.gantry("logs", "--clear", "cleared")).err).toContain("cleared");
});

test("while the engine is dead a log stays within its size, and the next engine goes on keeping its files", async () => {
  const name = "orphan";
  const script = `${count(0, 5000)}; until [ -e /go ]; do sleep 0.05; done; ${count(5000, 60_000)}; touch /done; until [ -e /go2 ]; do sleep 0.05; done; ${count(60_000, 65_000)}`;
  await engine.ok("run", "-d", "--name", name, ...several, "busybox", "sh", "-c", script);
  const root = JSON.parse(await engine.ok("inspect", name))[0].State.Pid as number;
  while (!(await engine.ok("logs", "-n", "1", name)).startsWith("4999 "));
  process.kill(await engine.pid(), "SIGKILL");
  await Bun.write(`/proc/${root}/root/go`, "");
  while (!(await Bun.file(`/proc/${root}/root/done`).exists()));
  expect(numbers(await engine.ok("logs", name)).at(-1)).toBe(59_999);
  await Bun.write(`/proc/${root}/root/go2`, "");
  expect(await engine.ok("wait", name)).toBe("0");
  const kept = numbers(await engine.ok("logs", name));
  expect(kept.at(-1)).toBe(64_999);
  expect(kept.slice(-5000)).toEqual(Array.from({ length: 5000 }, (_none, at) => 60_000 + at));
  expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b));
  expect(await logBytes(name)).toBeLessThanOrEqual(4 * 2 ** 20);
  await engine.ok("rm", name);
});
