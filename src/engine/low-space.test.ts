import { expect, test } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { requireSpace, watermark } from "./low-space.ts";

test("the watermark is a twentieth of a small disk and half a gibibyte of a big one", () => {
  expect(watermark(100)).toBe(5);
  expect(watermark(10 ** 13)).toBe(512 * 1024 * 1024);
});

test("work on a nearly full disk is refused with what is free and what helps", () => {
  const folder = `/tmp/gantry-low-space-${process.pid}`;
  mkdirSync(folder);
  const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=10m", "none", folder]);
  try {
    expect(mounted.success).toBe(true);
    requireSpace(folder, "pull the image");
    writeFileSync(join(folder, "big"), Buffer.alloc(10_300_000));
    expect(() => requireSpace(folder, "pull the image")).toThrow(
      /Cannot pull the image: only 0 MiB are free .* gantry prune/,
    );
  } finally {
    Bun.spawnSync(["umount", folder]);
    rmSync(folder, { recursive: true });
  }
});
