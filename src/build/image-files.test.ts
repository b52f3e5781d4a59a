import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readMountTable } from "#base/system/mounts/table.ts";
import { openBuildScene } from "./testing/scene.ts";

test("an image's files can be read, and not written, as long as the handle is held", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const { record } = await scene.build("FROM busybox\nCOPY f /deep/f\n", { f: "content" });
  {
    await using files = await scene.builder.openFiles(record, undefined, new AbortController().signal);
    expect(readFileSync(join(files.folder, "deep/f"), "utf8")).toBe("content");
    expect(readdirSync(files.folder)).toContain("bin");
    expect(Bun.spawnSync(["touch", join(files.folder, "x")]).exitCode).toBe(1);
  }
  expect(readMountTable().filter((mount) => mount.mountPoint.startsWith(scene.folder))).toEqual([]);
  expect(readdirSync(join(scene.folder, "build"))).toEqual([]);
});

test("an image for another platform has no files here, and nothing is left of the attempt", async () => {
  await using scene = await openBuildScene();
  const record = await scene.plantBusybox();
  const other = { os: "windows", architecture: "amd64" };
  const opened = scene.builder.openFiles(record, other, new AbortController().signal);
  await expect(opened).rejects.toMatchObject({ kind: "not-found" });
  expect(readdirSync(join(scene.folder, "build"))).toEqual([]);
});
