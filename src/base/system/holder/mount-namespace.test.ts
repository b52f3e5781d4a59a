import { afterEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cgroupLayout } from "#base/system/cgroup/layout.ts";
import { mount, mountFlags, unmount } from "#base/system/mounts/mount.ts";
import { parseMountTable, readMountTable } from "#base/system/mounts/table.ts";
import { openHolder } from "./mount-namespace.ts";

/** A shared mount with a run folder and a place for a disk, as systemd hosts have everywhere. */
function scene() {
  const base = mkdtempSync(join(tmpdir(), "gantry-holder-"));
  mount({ source: "test", target: base, type: "tmpfs" });
  mount({ target: base, flags: mountFlags.shared });
  const disk = join(base, "disk");
  mkdirSync(disk);
  const holder = openHolder({ run: join(base, "run") });
  return {
    base,
    disk,
    holder,
    inside: (...words: string[]) => {
      const result = Bun.spawnSync([...holder.prefix, ...words]);
      return { code: result.exitCode, text: result.stdout.toString() };
    },
    [Symbol.asyncDispose]: async () => {
      await holder.remove();
      unmount(disk, { lazy: true });
      unmount(base, { lazy: true });
      rmSync(base, { recursive: true, force: true });
    },
  };
}

afterEach(() => {
  expect(readMountTable().filter((entry) => entry.mountPoint.includes("gantry-holder-"))).toEqual([]);
});

test("the namespace is made once, found again by another, and removed without a trace", async () => {
  await using place = scene();
  expect(place.holder.exists()).toBe(false);
  await place.holder.make();
  await place.holder.make();
  const again = openHolder({ run: join(place.base, "run") });
  expect(again.exists()).toBe(true);
  const pins = () => readMountTable().filter((entry) => entry.type === "nsfs" && entry.mountPoint === place.holder.pin);
  expect(pins()).toHaveLength(1);
  await again.remove();
  expect(pins()).toHaveLength(0);
  expect(readMountTable().some((entry) => entry.mountPoint.startsWith(join(place.base, "run")))).toBe(false);
  await again.remove();
});

test("a disk mounted on the host later is visible inside, and one unmounted is released", async () => {
  await using place = scene();
  await place.holder.make();
  mount({ source: "late-disk", target: place.disk, type: "tmpfs" });
  mkdirSync(join(place.disk, "data"));
  expect(place.inside("ls", place.disk).text).toBe("data\n");
  expect(unmount(place.disk)).toBe(true);
  const seen = parseMountTable(place.inside("cat", "/proc/self/mountinfo").text);
  expect(seen.some((entry) => entry.source === "late-disk")).toBe(false);
});

test("what is mounted inside stays inside, for the next program too", async () => {
  await using place = scene();
  await place.holder.make();
  expect(place.inside("mount", "-t", "tmpfs", "inner-disk", place.disk).code).toBe(0);
  expect(readMountTable().some((entry) => entry.source === "inner-disk")).toBe(false);
  expect(place.inside("cat", "/proc/self/mountinfo").text).toContain("inner-disk");
});

test("inside there is no second cgroup hierarchy, and outside nothing changed", async () => {
  const before = cgroupLayout().version;
  await using place = scene();
  await place.holder.make();
  const inside = cgroupLayout(parseMountTable(place.inside("cat", "/proc/self/mountinfo").text));
  expect(inside.version).toBe(before === "hybrid" ? "v1" : before);
  expect(cgroupLayout().version).toBe(before);
});

test("two layouts live side by side, and removing one leaves the other", async () => {
  await using place = scene();
  const newer = openHolder({ run: join(place.base, "run"), layout: 2 });
  await place.holder.make();
  await newer.make();
  await place.holder.remove();
  expect(newer.exists()).toBe(true);
  await newer.remove();
});
