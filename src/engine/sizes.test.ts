import { expect, test } from "bun:test";
import type { Clock } from "#base/core/clock.ts";
import type { Volumes } from "#containers/volume/contract.ts";
import type { Store } from "#images/store/contract.ts";
import { measuredSizes } from "./sizes.ts";

function scene() {
  const asked: string[] = [];
  const clock = { time: 0, now: () => clock.time };
  const volumes = {
    usage: async (name: string) => {
      asked.push(name);
      if (name === "broken") throw new Error("no");
      return asked.length;
    },
  };
  const layers: Readonly<Record<string, { size: number; parent?: string }>> = {
    top: { size: 5, parent: "base" },
    base: { size: 100 },
  };
  const store = {
    snapshots: {
      get: (id: string) => (id === "here" ? { parent: "top" } : undefined),
      usage: async () => ({ bytes: 7, files: 1 }),
    },
    layers: { get: (chain: string) => layers[chain] },
  };
  const sizes = measuredSizes(store as unknown as Store, volumes as unknown as Volumes, clock as unknown as Clock);
  return { sizes, asked, clock };
}

test("a volume is walked once for all who ask at a time, and again when its size has grown old", async () => {
  const { sizes, asked, clock } = scene();
  expect(await Promise.all([sizes.volume("a"), sizes.volume("a")])).toEqual([1, 1]);
  clock.time = 9_999;
  expect(await sizes.volume("a")).toBe(1);
  clock.time = 10_000;
  expect(await sizes.volume("a")).toBe(2);
  expect(asked).toEqual(["a", "a"]);
});

test("a size that could not be measured is asked for again", async () => {
  const { sizes, asked } = scene();
  await expect(sizes.volume("broken")).rejects.toThrow("no");
  await expect(sizes.volume("broken")).rejects.toThrow("no");
  expect(asked).toHaveLength(2);
});

test("a container's whole size is its own and its image's layers", async () => {
  const { sizes } = scene();
  expect(await sizes.container("here")).toEqual({ own: 7, whole: 112 });
  expect(await sizes.container("gone")).toEqual({ own: 0, whole: 0 });
});
