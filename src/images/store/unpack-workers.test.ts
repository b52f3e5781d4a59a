import { expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isKind } from "#base/core/errors.ts";
import { openDatabase } from "#base/system/database/database.ts";
import { openWorkerPool } from "#base/system/pool/worker-pool.ts";
import { openStore } from "./open-store.ts";
import { layerTar, plantLayer, scratch } from "./testing/test-store.ts";

const entry = new URL("./testing/worker.ts", import.meta.url);

test("a big layer is unpacked and hashed in two Workers; wrong bytes and an abort leave nothing", async () => {
  using folder = scratch();
  using database = openDatabase(join(folder.path, "gantry.db"));
  await using bulk = openWorkerPool({ name: "bulk", entry, size: 2 });
  await using store = await openStore({ root: folder.path, database, bulk });
  const tar = layerTar([{ name: "big", content: new Uint8Array(20_000_000).fill(5) }]);
  const layer = await plantLayer(store, tar);
  const progress: number[] = [];
  const record = await store.layers.unpack(layer.descriptor, layer.diffId, undefined, {
    onProgress: ({ bytes }) => progress.push(bytes),
  });
  expect(record.size).toBe(20_000_000);
  expect(progress.at(-1)).toBe(tar.length);
  await store.collect({ grace: -1000 });

  const again = await plantLayer(store, tar);
  const damaged = tar.slice();
  damaged[5000]! ^= 1;
  writeFileSync(store.blobs.path(again.descriptor.digest), damaged);
  const kind = await store.layers.unpack(again.descriptor, again.diffId, undefined).then(
    () => "none",
    (error: unknown) => (isKind(error) ? error.kind : "foreign"),
  );
  expect(kind).toBe("corrupt");
  const controller = new AbortController();
  const aborted = store.layers.unpack(again.descriptor, again.diffId, undefined, { signal: controller.signal });
  controller.abort();
  expect(
    await aborted.then(
      () => "none",
      (error: unknown) => (isKind(error) ? error.kind : `${error}`),
    ),
  ).toBe("cancelled");
  await store.repair(await store.check({ deep: true }));
  expect(await store.check({ deep: true })).toEqual([]);
  expect(readdirSync(join(folder.path, "layers"))).toEqual(["empty"]);
});
