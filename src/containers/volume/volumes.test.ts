import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#base/core/clock.ts";
import { systemRandom } from "#base/core/random.ts";
import type { Database } from "#base/system/database/contract.ts";
import { openDatabase } from "#base/system/database/database.ts";
import type { Volumes } from "./contract.ts";
import { clearUnnamedVolumes, openVolumes } from "./volumes.ts";

let folder: string;
let database: Database & Disposable;
let volumes: Volumes;
const filled: string[] = [];

function open(at?: string): Volumes {
  return openVolumes({
    folder,
    database,
    clock: systemClock,
    random: systemRandom,
    faults: {
      at(point) {
        if (point === at) throw new Error(`killed at ${point}`);
      },
    },
    files: {
      remove: async (path) => rmSync(path, { recursive: true, force: true }),
      measure: async () => 7,
      fill: async (_rootfs, target, volume) => void filled.push(`${target} ${volume}`),
    },
  });
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "volumes-"));
  database = openDatabase(":memory:");
  volumes = open();
});

afterEach(() => {
  database[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

test("a volume is made once, and found by its name afterwards with what is in it", () => {
  const first = volumes.create({ name: "data", labels: { stage: "1" } });
  expect(first.fresh).toBe(true);
  expect(existsSync(first.record.path)).toBe(true);
  const again = volumes.create({ name: "data" });
  expect(again).toMatchObject({ fresh: false, record: { labels: { stage: "1" }, anonymous: false } });
  expect(open().get("data")).toEqual(first.record);
});

test("a volume without a name gets one of 64 hex digits", () => {
  expect(volumes.create({ anonymous: true }).record.name).toMatch(/^[0-9a-f]{64}$/);
});

test("names that could be paths are refused, and driver options too", () => {
  for (const name of ["", ".", "..", "../x", "a/b", "-x", "a\0", "a".repeat(256)]) {
    expect(() => volumes.create({ name })).toThrow("a name is letters");
  }
  expect(() => volumes.create({ name: "x", options: { type: "nfs" } })).toThrow("no driver options");
  expect(readdirSync(folder)).toEqual([]);
});

test("a volume in use stays, naming its users; one that is not there is not found", async () => {
  const { record } = volumes.create({ name: "data" });
  await expect(volumes.remove("data", ["web", "db"])).rejects.toThrow("volume is in use - [web, db]");
  expect(existsSync(record.path)).toBe(true);
  await volumes.remove("data", []);
  expect(readdirSync(folder)).toEqual([]);
  await expect(volumes.remove("data", [])).rejects.toMatchObject({ kind: "not-found" });
});

test("only anonymous ones go with their container", async () => {
  volumes.create({ name: "data" });
  const { record } = volumes.create({ anonymous: true });
  await volumes.removeAnonymous(["data", record.name, "none"]);
  expect(volumes.list().map((volume) => volume.name)).toEqual(["data"]);
});

test("a fill of what is not there does nothing", async () => {
  const { record } = volumes.create({ name: "data" });
  await volumes.fill("data", "/rootfs", "/etc");
  await volumes.fill("none", "/rootfs", "/etc");
  expect(filled).toEqual([`/etc ${record.path}`]);
});

test("a crash between the folder and its row leaves no name, and the folder goes at the next start", () => {
  expect(() => open("volumes.create.name").create({ name: "half" })).toThrow("killed");
  expect(volumes.get("half")).toBeUndefined();
  volumes.create({ name: "whole" });
  mkdirSync(join(folder, "stray/_data"), { recursive: true });
  clearUnnamedVolumes(folder, volumes, readdirSync(folder));
  expect(readdirSync(folder)).toEqual(["whole"]);
});

test("a crash before a removal is written keeps the volume whole", async () => {
  const { record } = volumes.create({ name: "data" });
  await expect(open("volumes.remove.forget").remove("data", [])).rejects.toThrow("killed");
  expect(volumes.get("data")).toEqual(record);
  expect(existsSync(record.path)).toBe(true);
});
