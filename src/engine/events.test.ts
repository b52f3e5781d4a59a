import { expect, test } from "bun:test";
import type { Clock } from "#base/core/clock.ts";
import { openDatabase } from "#base/system/database/database.ts";
import type { EngineEvent } from "./contract.ts";
import { openEventLog } from "./events.ts";

const clockAt = (now: number): Clock => ({ now: () => now, monotonic: () => now, sleep: async () => undefined });

const happened = (action: string): Omit<EngineEvent, "timeNano"> => ({
  type: "container",
  action,
  id: "c1",
  attributes: { name: "x" },
});

test("events come back from the disk in order, with times that ascend within one millisecond", async () => {
  using database = openDatabase(":memory:");
  await using log = openEventLog(database, clockAt(1_700_000_000_000));
  log.publish(happened("create"));
  log.publish(happened("start"));
  const seen: EngineEvent[] = [];
  const options = { since: 0, until: 1_700_000_000_000, signal: new AbortController().signal };
  for await (const event of log.read(options)) seen.push(event);
  expect(seen.map((event) => event.action)).toEqual(["create"]);
  const all: EngineEvent[] = [];
  for await (const event of log.read({ ...options, until: 1_700_000_000_001 })) {
    all.push(event);
    if (all.length === 2) break;
  }
  expect(all.map((event) => event.action)).toEqual(["create", "start"]);
  expect(all[1]!.timeNano).toBeGreaterThan(all[0]!.timeNano);
});

test("a reader gets what happens after it began, once, until it is aborted", async () => {
  using database = openDatabase(":memory:");
  await using log = openEventLog(database, clockAt(1_700_000_000_000));
  log.publish(happened("create"));
  const stop = new AbortController();
  const seen: string[] = [];
  const reading = (async () => {
    for await (const event of log.read({ since: 0, signal: stop.signal })) {
      seen.push(event.action);
      if (event.action === "die") stop.abort();
    }
  })();
  await Promise.resolve();
  log.publish(happened("start"));
  log.publish(happened("die"));
  await reading;
  expect(seen).toEqual(["create", "start", "die"]);
});

test("a log opened again goes on after its newest event, whatever the clock says", async () => {
  using database = openDatabase(":memory:");
  {
    await using log = openEventLog(database, clockAt(2_000_000_000_000));
    log.publish(happened("create"));
  }
  await using log = openEventLog(database, clockAt(1_000_000_000_000));
  log.publish(happened("start"));
  const stop = new AbortController();
  const seen: EngineEvent[] = [];
  for await (const event of log.read({ since: 0, signal: stop.signal })) {
    seen.push(event);
    if (seen.length === 2) break;
  }
  expect(seen.map((event) => event.action)).toEqual(["create", "start"]);
});
