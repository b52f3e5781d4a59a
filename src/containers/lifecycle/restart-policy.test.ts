import { expect, test } from "bun:test";
import { type EndedRun, planRestart, runsAtEngineStart } from "./restart-policy.ts";

const run: EndedRun = { policy: { name: "always" }, exitCode: 0, stoppedByUser: false, restarts: 0, ranFor: 5 };
const onFailure = (maximumRetries: number) => ({ name: "on-failure", maximumRetries }) as const;

test.each([
  ["no policy never restarts", { ...run, policy: undefined, exitCode: 1 }, false],
  ["no restarts on request", { ...run, policy: { name: "no" }, exitCode: 1 }, false],
  ["always restarts a good end", run, true],
  ["always rests after a stop by hand", { ...run, stoppedByUser: true }, false],
  ["unless-stopped restarts a bad end", { ...run, policy: { name: "unless-stopped" }, exitCode: 3 }, true],
  ["unless-stopped rests after a stop", { ...run, policy: { name: "unless-stopped" }, stoppedByUser: true }, false],
  ["on-failure rests after 0", { ...run, policy: onFailure(0) }, false],
  ["on-failure restarts after 1", { ...run, policy: onFailure(0), exitCode: 1, restarts: 99 }, true],
  ["on-failure gives up at its bound", { ...run, policy: onFailure(3), exitCode: 1, restarts: 3 }, false],
  ["on-failure tries up to its bound", { ...run, policy: onFailure(3), exitCode: 1, restarts: 2 }, true],
] as const)("%s", (_name, ended, restarts) => {
  expect(planRestart(ended as EndedRun).kind).toBe(restarts ? "restart" : "stay");
});

test("waits double up to a minute and begin anew after a run of ten seconds", () => {
  const waits: number[] = [];
  let lastDelay: number | undefined;
  for (let i = 0; i < 12; i++) {
    const plan = planRestart({ ...run, ...(lastDelay === undefined ? {} : { lastDelay }) });
    if (plan.kind !== "restart") throw new Error("it rests");
    waits.push(plan.delay);
    lastDelay = plan.delay;
  }
  expect(waits).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000]);
  expect(planRestart({ ...run, lastDelay: 60_000, ranFor: 10_000 })).toEqual({ kind: "restart", delay: 100 });
});

test("an engine that starts brings back always, and unless-stopped unless it was stopped", () => {
  expect(runsAtEngineStart({ name: "always" }, true)).toBe(true);
  expect(runsAtEngineStart({ name: "unless-stopped" }, true)).toBe(false);
  expect(runsAtEngineStart({ name: "unless-stopped" }, false)).toBe(true);
  expect(runsAtEngineStart(onFailure(0), false)).toBe(false);
});
