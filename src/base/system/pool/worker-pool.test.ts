import { expect, test } from "bun:test";
import { isKind } from "#base/core/errors.ts";
import { die, double, fail, late, spin } from "./testdata/tasks.ts";
import { openWorkerPool } from "./worker-pool.ts";

const open = (size = 2) =>
  openWorkerPool({ name: "test", entry: new URL("./testdata/worker.ts", import.meta.url), size });

test("a task gives its value, and an async task its awaited one", async () => {
  await using pool = open();
  expect(await Promise.all([1, 2, 3, 4, 5].map((n) => pool.run(double, n)))).toEqual([2, 4, 6, 8, 10]);
  expect(await pool.run(late, "x")).toBe("x");
});

test("a task's error arrives with its kind, words and details", async () => {
  await using pool = open();
  const error = await pool.run(fail, "the blob").catch((reason: unknown) => reason);
  expect(isKind(error, "corrupt")).toBe(true);
  expect(String(error)).toContain('Cannot read "the blob": it is damaged');
  expect(isKind(error) && error.parts.details).toEqual({ line: 3 });
});

test("a dying Worker fails its own task and the next task gets a new Worker", async () => {
  await using pool = open(1);
  const dead = pool.run(die, undefined).catch((reason: unknown) => reason);
  const next = pool.run(double, 4);
  expect(String(await dead)).toContain("Worker died");
  expect(await next).toBe(8);
});

test("abort reaches a task inside synchronous code, and a queued one never begins", async () => {
  await using pool = open(1);
  const abort = new AbortController();
  const started = Promise.withResolvers<unknown>();
  const spinning = pool
    .run(spin, { started: true }, { signal: abort.signal, onProgress: started.resolve })
    .catch((e: unknown) => e);
  const queued = pool.run(double, 1, { signal: abort.signal }).catch((e: unknown) => e);
  expect(await started.promise).toBe("spinning");
  abort.abort();
  expect(String(await queued)).toContain("before it began");
  expect(isKind(await spinning, "cancelled")).toBe(true);
});

test("closing aborts what runs, refuses what waits, and later calls", async () => {
  const pool = open(1);
  const started = Promise.withResolvers<unknown>();
  const spinning = pool.run(spin, { started: true }, { onProgress: started.resolve }).catch((e: unknown) => e);
  const queued = pool.run(double, 1).catch((e: unknown) => e);
  await started.promise;
  await pool[Symbol.asyncDispose]();
  expect(isKind(await spinning, "cancelled")).toBe(true);
  expect(isKind(await queued, "cancelled")).toBe(true);
  expect(isKind(await pool.run(double, 1).catch((e: unknown) => e), "cancelled")).toBe(true);
});

test("arguments that cannot be copied are the caller's error and cost no Worker", async () => {
  await using pool = open(1);
  const error = await pool.run(double, (() => 1) as unknown as number).catch((e: unknown) => e);
  expect(String(error)).toContain("cannot be copied");
  expect(await pool.run(double, 2)).toBe(4);
});

test("a Worker whose entry does not load fails the task with the reason", async () => {
  await using pool = openWorkerPool({ name: "test", entry: new URL("./testdata/absent.ts", import.meta.url), size: 1 });
  expect(String(await pool.run(double, 1).catch((e: unknown) => e))).toContain("Worker died");
});
