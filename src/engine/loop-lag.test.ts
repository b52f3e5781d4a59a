import { expect, test } from "bun:test";
import { systemClock } from "#base/core/clock.ts";
import { measureLoopLag } from "./loop-lag.ts";

const still = new AbortController().signal;

test("a loop that is blocked shows for how long", async () => {
  const lag = measureLoopLag(systemClock, 0.3, still);
  const measured = lag.next();
  await systemClock.sleep(50);
  const until = performance.now() + 120;
  while (performance.now() < until);
  const { value } = await measured;
  expect(value!.maximum).toBeGreaterThan(100);
  expect(value!.maximum).toBeLessThan(1000 * value!.seconds);
  expect(value!.mean).toBeLessThan(value!.maximum);
  expect((await lag.next()).done).toBe(true);
});

test("a measurement lasts as long as it was asked for, and ends early with its caller", async () => {
  let count = 0;
  const instant = { now: () => 0, monotonic: () => 1000 * count, sleep: () => Promise.resolve(void count++) };
  const told: number[] = [];
  for await (const { seconds } of measureLoopLag(instant, 2.5, still)) told.push(seconds);
  expect(told).toEqual([1, 2, 3]);
  expect(await Array.fromAsync(measureLoopLag(systemClock, 10, AbortSignal.abort()))).toEqual([]);
});
