import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#base/core/clock.ts";
import { GantryError } from "#base/core/errors.ts";
import { systemRandom } from "#base/core/random.ts";
import type { Database } from "#base/system/database/contract.ts";
import { openDatabase } from "#base/system/database/database.ts";
import type { VolumeMounter, Volumes } from "./contract.ts";
import { clearUnnamedVolumes, openVolumes } from "./volumes.ts";

let folder: string;
let database: Database & Disposable;
let volumes: Volumes;
const filled: string[] = [];

const mounted = new Set<string>();
const asked: string[] = [];
const mounter: VolumeMounter = {
  async mount({ type, source, target, options }) {
    asked.push(`${type} ${source} ${options}`);
    if (source === "/gone")
      throw new GantryError("invalid", { doing: "mount", on: source, because: "it is not there" });
    mounted.add(target);
  },
  unmount: async (target) => void mounted.delete(target),
  isMounted: (target) => mounted.has(target),
  address: async () => "192.0.2.7",
};

function open(at?: string): Volumes {
  return openVolumes({
    folder,
    database,
    clock: systemClock,
    random: systemRandom,
    mounter,
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
  mounted.clear();
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

test("names that could be paths are refused, and options that are not Docker's", () => {
  for (const name of ["", ".", "..", "../x", "a/b", "-x", "a\0", "a".repeat(256)]) {
    expect(() => volumes.create({ name })).toThrow("a name is letters");
  }
  const refused = (options: Record<string, string>, words: string) =>
    expect(() => volumes.create({ name: "x", options })).toThrow(words);
  refused({ type: "nfs" }, 'missing required option: "device"');
  refused({ o: "size=1m" }, 'missing required option: "device"');
  refused({ colour: "red" }, 'invalid option: "colour"');
  refused({ size: "1m" }, "no quota support");
  refused({ type: "tmpfs", device: "tmpfs", o: "a\nb" }, "line end");
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
  writeFileSync(join(record.path, "own"), "");
  await volumes.fill("data", "/rootfs", "/etc");
  expect(filled).toHaveLength(1);
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

const tmpfs = { type: "tmpfs", device: "tmpfs", o: "size=1m" };

test("what the options name is mounted with the first holder and unmounted with the last", async () => {
  const { record } = volumes.create({ name: "memory", options: tmpfs });
  expect(mounted.has(record.path)).toBe(false);
  asked.length = 0;
  await Promise.all([volumes.hold("memory", "a"), volumes.hold("memory", "b")]);
  expect(asked).toEqual(["tmpfs tmpfs size=1m"]);
  await volumes.release("memory", "a");
  expect(mounted.has(record.path)).toBe(true);
  await volumes.release("memory", "b");
  expect(mounted.has(record.path)).toBe(false);
});

test("a mount that fails is told in words, with the volume's name, and nobody holds it", async () => {
  const { record } = volumes.create({ name: "share", options: { type: "nfs", device: "/gone", o: "addr=server,ro" } });
  asked.length = 0;
  await expect(volumes.hold("share", "a")).rejects.toThrow(
    'Cannot use the volume "share": failed to mount local volume: mount /gone: it is not there',
  );
  expect(asked).toEqual(["nfs /gone addr=192.0.2.7,ro"]);
  expect(mounted.has(record.path)).toBe(false);
  await volumes
    .steady("share", new Set(), async () => undefined)
    .catch((error: Error) => {
      expect(error.message).toContain("failed to mount");
    });
});

test("the same name with other options is a conflict, with none it is the volume that is there", () => {
  volumes.create({ name: "memory", options: tmpfs });
  expect(volumes.create({ name: "memory" }).fresh).toBe(false);
  expect(volumes.create({ name: "memory", options: tmpfs }).fresh).toBe(false);
  expect(() => volumes.create({ name: "memory", options: { ...tmpfs, o: "size=2m" } })).toThrow("other options");
});

test("a volume is copied while nobody writes to it: holders are named, frozen ones are not", async () => {
  volumes.create({ name: "data" });
  await volumes.hold("data", "0123456789abcdef");
  await expect(volumes.steady("data", new Set(), async () => 1)).rejects.toThrow("- [0123456789ab]");
  expect(await volumes.steady("data", new Set(["0123456789abcdef"]), async () => 1)).toBe(1);
});

test("who wants a volume while it is copied waits until the copy has ended", async () => {
  volumes.create({ name: "data" });
  const order: string[] = [];
  const copy = Promise.withResolvers<void>();
  const copying = volumes.steady("data", new Set(), async () => {
    await copy.promise;
    order.push("copied");
  });
  const held = volumes.hold("data", "a").then(() => order.push("held"));
  copy.resolve();
  await Promise.all([copying, held]);
  expect(order).toEqual(["copied", "held"]);
});

test("a renamed volume keeps its folder, and its old name is free for another", () => {
  const { record } = volumes.create({ anonymous: true, name: "old" });
  expect(volumes.rename("old", "new")).toMatchObject({ name: "new", path: record.path, anonymous: false });
  const other = volumes.create({ name: "old" }).record;
  expect(other.path).not.toBe(record.path);
  clearUnnamedVolumes(folder, volumes, readdirSync(folder));
  expect([existsSync(record.path), existsSync(other.path)]).toEqual([true, true]);
  expect(() => volumes.rename("new", "old")).toThrow("there is a volume of that name");
  expect(() => volumes.rename("none", "x")).toThrow("no such volume");
  expect(() => volumes.rename("new", "../x")).toThrow("a name is letters");
});

test("a volume made with content has its name when the content is whole, and nothing when writing it failed", async () => {
  const write = async (path: string) => writeFileSync(join(path, "file"), "content");
  const made = await volumes.createWith({ name: "copy" }, async (path) => {
    expect(volumes.get("copy")).toBeUndefined();
    expect(() => volumes.create({ name: "copy" })).toThrow("there is a volume of that name");
    await write(path);
  });
  expect(readdirSync(made.path)).toEqual(["file"]);
  await expect(volumes.createWith({ name: "copy" }, write)).rejects.toMatchObject({ kind: "conflict" });
  const failing = volumes.createWith({ name: "half" }, () => Promise.reject(new Error("no")));
  await expect(failing).rejects.toThrow("no");
  expect(readdirSync(folder)).toEqual(["copy"]);
});
