import { expect, test } from "bun:test";
import type { Health, HealthCheck } from "./contract.ts";
import { afterProbe, freshHealth, probeDelay, probeTimeout } from "./health.ts";

const check: HealthCheck = { test: ["true"] };
const probe = (exitCode: number) => ({ startedAt: 0, finishedAt: 1, exitCode, output: "" });
const story = (from: HealthCheck, codes: readonly number[], ranFor = 0): Health =>
  codes.reduce((health, code) => afterProbe(from, health, probe(code), ranFor), freshHealth);

test("one good probe makes it healthy, three bad ones in a row make it unhealthy", () => {
  expect(story(check, [0])).toMatchObject({ status: "healthy", failingStreak: 0 });
  expect(story(check, [0, 1, 1])).toMatchObject({ status: "healthy", failingStreak: 2 });
  expect(story(check, [0, 1, 1, 1])).toMatchObject({ status: "unhealthy", failingStreak: 3 });
  expect(story(check, [1, 1, 0, 1, 1])).toMatchObject({ status: "healthy", failingStreak: 2 });
  expect(story({ ...check, retries: 1 }, [1]).status).toBe("unhealthy");
});

test("failures of the start period do not count, a success ends it", () => {
  const patient = { ...check, startPeriod: 1000 };
  expect(story(patient, [1, 1, 1, 1], 999)).toMatchObject({ status: "starting", failingStreak: 0 });
  expect(story(patient, [1, 1, 1], 1000).status).toBe("unhealthy");
  expect(story(patient, [0, 1, 1, 1], 500).status).toBe("unhealthy");
});

test("probes come at the start interval while it starts, then at the interval", () => {
  const patient = { ...check, startPeriod: 20_000, startInterval: 200, interval: 7000 };
  expect(probeDelay(patient, freshHealth, 100)).toBe(200);
  expect(probeDelay(patient, freshHealth, 20_000)).toBe(7000);
  expect(probeDelay(patient, story(patient, [0]), 100)).toBe(7000);
  expect(probeDelay(check, freshHealth, 0)).toBe(30_000);
  expect(probeTimeout(check)).toBe(30_000);
});

test("the last five probes are kept", () => {
  expect(story(check, [1, 2, 3, 4, 5, 6, 7]).probes.map(({ exitCode }) => exitCode)).toEqual([3, 4, 5, 6, 7]);
});
