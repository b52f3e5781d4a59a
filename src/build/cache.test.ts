import { expect, test } from "bun:test";
import type { Faults } from "#base/core/faults.ts";
import { openDatabase } from "#base/system/database/database.ts";
import { migrate } from "#base/system/database/migrate.ts";
import { cacheMigrations, StepCache, stepKey } from "./cache.ts";

const key = (text: string) =>
  stepKey({ instruction: "RUN", parent: undefined, platform: "linux/amd64", layerTime: 0, of: { text } });

function open(faults?: Faults) {
  const database = openDatabase(":memory:", faults === undefined ? {} : { faults });
  migrate(database, "build", cacheMigrations);
  return new StepCache(database);
}

test("uses are written together, however many steps were found", () => {
  const points: string[] = [];
  const cache = open({ at: (point) => points.push(point) });
  for (const text of ["a", "b", "c"]) cache.put(key(text), {}, 1);
  points.length = 0;
  for (const text of ["a", "b", "c", "a"]) expect(cache.find(key(text), 5)).toEqual({});
  expect(points).toEqual([]);
  cache.rememberUses();
  expect(points).toEqual(["database.build.cache-used.commit"]);
  cache.rememberUses();
  expect(points).toHaveLength(1);
});

test("pruning spares what was used lately, also when that is not written yet", () => {
  const cache = open();
  for (const text of ["old", "used"]) cache.put(key(text), {}, 1);
  cache.putContent(key("content"), "digest", 1);
  expect(cache.find(key("used"), 9)).toEqual({});
  expect(cache.content(key("content"), 9)).toBe("digest");
  expect(cache.olderThan(5)).toEqual([key("old")]);
  expect(cache.prune(5)).toBe(1);
  expect(cache.find(key("used"), 10)).toEqual({});
  expect(cache.content(key("content"), 10)).toBe("digest");
  expect(cache.find(key("old"), 10)).toBeUndefined();
});
