import { expect, test } from "bun:test";
import { existsSync, readdirSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "#formats/oci/digest.ts";
import { openTestStore, scratch } from "./testing/test-store.ts";

/** A blob whose file is big by a hole: it costs nothing to make. */
async function bigBlob(here: Awaited<ReturnType<typeof openTestStore>>) {
  const { digest } = await here.store.blobs.put(Buffer.from("big"));
  const path = here.store.blobs.path(digest);
  truncateSync(path, 64 * 1024 * 1024);
  return { digest, path };
}

test("a big blob's place is free at once, its bytes soon after, and what comes to that place stays", async () => {
  await using here = await openTestStore();
  const { digest, path } = await bigBlob(here);
  expect(here.store.blobs.delete(digest)).toBe(true);
  expect(existsSync(path)).toBe(false);
  expect(readdirSync(join(here.root, "ingest"))).toHaveLength(1);
  await here.store.blobs.put(Buffer.from("big"));
  expect(await here.store.check({ deep: true })).toEqual([]);
  expect(readdirSync(join(here.root, "ingest"))).toEqual([]);
  expect(digestOf(await here.store.blobs.read(digest))).toBe(digest);
});

test("the same bytes named twice at once are one blob, and a check meanwhile finds nothing amiss", async () => {
  await using here = await openTestStore();
  const content = Buffer.from("twice");
  const puts = [here.store.blobs.put(content), here.store.blobs.put(content)];
  expect(await here.store.check()).toEqual([]);
  expect((await Promise.all(puts)).map(({ digest }) => digest)).toEqual([digestOf(content), digestOf(content)]);
  expect(here.store.blobs.list()).toHaveLength(1);
  expect(readdirSync(join(here.root, "ingest"))).toEqual([]);
});

test("what was on its way out when the engine died goes at the next start, what was on its way in stays", async () => {
  using folder = scratch();
  let gone: string;
  {
    await using here = await openTestStore({ root: folder.path, keep: true });
    const { digest, path } = await bigBlob(here);
    here.store.blobs.delete(digest);
    [gone = ""] = readdirSync(join(here.root, "ingest"));
    writeFileSync(path, "again");
  }
  // As it stood before the background had its turn.
  renameSync(join(folder.path, "blobs/sha256", digestOf("big").slice(7)), join(folder.path, "ingest", gone));
  writeFileSync(join(folder.path, "ingest/r-1"), "half");
  await using here = await openTestStore({ root: folder.path, keep: true });
  expect(await here.store.check()).toEqual([]);
  expect(readdirSync(join(folder.path, "ingest"))).toEqual(["r-1"]);
});
