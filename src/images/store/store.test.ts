import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "#base/core/clock.ts";
import { systemClock } from "#base/core/clock.ts";
import { isKind } from "#base/core/errors.ts";
import type { Digest } from "#formats/oci/contract.ts";
import { digestOf } from "#formats/oci/digest.ts";
import { layerTar, openTestStore, plantImage, plantLayer, scratch } from "./testing/test-store.ts";

const bytes = (text: string) => new Uint8Array(Buffer.from(text));

/** Goes on by one at every look, so that "newer than" is never a tie. */
function steppingClock(start = 1000): Clock & { at: number } {
  const clock = { ...systemClock, at: start, now: () => clock.at++ };
  return clock;
}

async function kindOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    return isKind(error) ? error.kind : `foreign: ${error}`;
  }
  return "none";
}

const source = (content: Uint8Array, options: { stopAt?: number; onStart?: (offset: number) => void } = {}) => {
  return async (offset: number) => {
    options.onStart?.(offset);
    async function* stream() {
      for (let at = offset; at < content.length; at += 1000) {
        if (options.stopAt !== undefined && at >= options.stopAt) throw new Error("connection lost");
        yield content.subarray(at, at + 1000);
      }
    }
    return { offset, stream: stream() };
  };
};

const wanted = (content: Uint8Array) => ({ mediaType: "a/b", digest: digestOf(content), size: content.length });

test("a blob is there when its digest and size were right, else nothing is", async () => {
  await using here = await openTestStore();
  const { blobs } = here.store;
  const content = bytes("x".repeat(10_000));
  const ingest = await blobs.ingest("one", wanted(content));
  ingest.write(content.subarray(0, 4000));
  expect(blobs.has(digestOf(content))).toBe(false);
  ingest.write(content.subarray(4000));
  const info = await ingest.commit();
  expect(await new Response(blobs.open(info.digest, { start: 10, end: 20 })).text()).toBe("x".repeat(10));
  const wrong = await blobs.ingest("two", { digest: digestOf("other") });
  wrong.write(content);
  expect(await kindOf(() => wrong.commit())).toBe("corrupt");
  const long = await blobs.ingest("three", { size: 5 });
  expect(await kindOf(() => long.write(content))).toBe("corrupt");
  const big = await blobs.ingest("four", { limit: 5 });
  expect(await kindOf(() => big.write(content))).toBe("exhausted");
  expect(readdirSync(join(here.root, "ingest"))).toEqual([]);
  expect(await kindOf(() => blobs.path(digestOf("other")))).toBe("not-found");
});

test("an interrupted fetch goes on where it stopped, also in the next process", async () => {
  using folder = scratch();
  const content = bytes("resumed ".repeat(2000));
  {
    await using here = await openTestStore({ root: folder.path, keep: true });
    expect(here.store.blobs.fetch(wanted(content), source(content, { stopAt: 7000 }))).rejects.toThrow(
      "connection lost",
    );
  }
  await using here = await openTestStore({ root: folder.path, keep: true });
  const starts: number[] = [];
  await here.store.blobs.fetch(wanted(content), source(content, { onStart: (offset) => starts.push(offset) }));
  expect(starts).toEqual([7000]);
  expect(Buffer.from(await here.store.blobs.read(digestOf(content))).toString()).toBe("resumed ".repeat(2000));
});

test("two fetches and two unpacks of one layer do the work once; one giving up does not stop the other", async () => {
  await using here = await openTestStore();
  const tar = layerTar([{ name: "a", content: "x".repeat(50_000) }]);
  let starts = 0;
  const begin = source(tar, { onStart: () => starts++ });
  const controller = new AbortController();
  const first = here.store.blobs.fetch(wanted(tar), begin, { signal: controller.signal });
  const second = here.store.blobs.fetch(wanted(tar), begin);
  controller.abort();
  expect(await kindOf(() => first)).toBe("cancelled");
  await second;
  expect(starts).toBe(1);
  const layer = wanted(tar);
  const [a, b] = await Promise.all([
    here.store.layers.unpack(layer, layer.digest, undefined),
    here.store.layers.unpack(layer, layer.digest, undefined),
  ]);
  expect(a).toEqual(b);
  expect(readdirSync(join(here.root, "layers")).sort()).toEqual([a.id, "empty"].sort());
});

test("row 11: a broken layer leaves nothing and the next unpack works", async () => {
  await using here = await openTestStore();
  const tar = layerTar([{ name: "a", content: "x".repeat(5000) }]);
  const cut = await plantLayer(here.store, tar.slice(0, 3000));
  expect(await kindOf(() => here.store.layers.unpack(cut.descriptor, digestOf(tar), undefined))).toBe("corrupt");
  const whole = await plantLayer(here.store, tar);
  await here.store.layers.unpack(whole.descriptor, whole.diffId, undefined);
  expect(await here.store.check({ deep: true })).toEqual([]);
});

test("images are found by every spelling Docker takes, and by no other repository's digest", async () => {
  await using here = await openTestStore();
  const { images } = here.store;
  const one = await plantImage(here.store, "busybox", [], "one");
  const two = await plantImage(here.store, "localhost:5000/a/b:1", [], "two");
  for (const text of [
    "busybox",
    "busybox:latest",
    "docker.io/library/busybox",
    one.id,
    one.id.slice(7),
    one.id.slice(7, 19),
  ])
    expect(images.resolve(text).id).toBe(one.id);
  expect(images.resolve(`localhost:5000/a/b@${two.id}`).id).toBe(two.id);
  expect(images.resolve(`localhost:5000/a/b:other@${two.id}`).id).toBe(two.id);
  // Row 28: the digest is here, but not under that name.
  expect(await kindOf(() => images.resolve(`evil/x:tag@${two.id}`))).toBe("not-found");
  expect(await kindOf(() => images.resolve("busybox:2"))).toBe("not-found");
  expect(await kindOf(() => images.resolve("sha256:../../x"))).toBe("not-found");
  images.tag(two.id, "busybox");
  expect(images.resolve("busybox").id).toBe(two.id);
  expect(images.get(one.id)!.names).toEqual([]);
  expect(here.store.usage().images).toEqual({ count: 2, dangling: 1 });
  images.untag("busybox");
  expect(images.get(two.id)!.names).toEqual(["localhost:5000/a/b:1"]);
  expect(await kindOf(() => images.put({ mediaType: "a/b", digest: digestOf("none"), size: 1 }, ["x"]))).toBe(
    "not-found",
  );
});

test("collect removes what nothing reaches and keeps images, snapshots, leases and pins", async () => {
  const clock = steppingClock();
  await using here = await openTestStore({ clock });
  const { store } = here;
  const plant = (name: string) => plantLayer(store, layerTar([{ name, content: name }]));
  const [kept, base, gone] = [await plant("kept"), await plant("base"), await plant("gone")];
  const image = await plantImage(store, "kept", [kept]);
  await store.layers.ensure(await store.images.open(image));
  const baseLayer = await store.layers.unpack(base.descriptor, base.diffId, undefined);
  store.snapshots.prepare("container", baseLayer.chainId);
  await store.layers.unpack(gone.descriptor, gone.diffId, undefined);
  const leased = await store.blobs.put(bytes("leased"));
  const pinned = await store.blobs.put(bytes("pinned"));
  const expired = await store.blobs.put(bytes("expired"));
  store.leases.pin("cache", { blob: pinned.digest });
  store.leases.pin("old", { blob: expired.digest }, 1);
  {
    using lease = store.leases.begin("test");
    lease.add({ blob: leased.digest });
    expect(await kindOf(() => store.blobs.delete(leased.digest))).toBe("conflict");
    const removed = await store.collect();
    expect(removed).toMatchObject({ layers: 1, blobs: 2 });
  }
  expect([gone.descriptor.digest, expired.digest].some((digest) => store.blobs.has(digest))).toBe(false);
  expect(
    [kept.descriptor.digest, base.descriptor.digest, leased.digest, pinned.digest].every((digest) =>
      store.blobs.has(digest),
    ),
  ).toBe(true);
  store.leases.unpin("cache");
  store.snapshots.remove("container");
  store.images.remove(image.id);
  await store.collect();
  expect(store.usage()).toMatchObject({ blobs: { count: 0 }, layers: { count: 0 }, snapshots: { count: 0 } });
  expect(readdirSync(join(here.root, "layers"))).toEqual(["empty"]);
  expect(await store.check({ deep: true })).toEqual([]);
});

test("what is named while a collection runs is not lost", async () => {
  const clock = steppingClock();
  await using here = await openTestStore({ clock });
  const { store } = here;
  const blobs = await Promise.all(Array.from({ length: 100 }, (_, i) => store.blobs.put(bytes(`blob ${i}`))));
  const layer = await plantLayer(store, layerTar([{ name: "late", content: "late" }]));
  const image = await plantImage(store, "late", [layer]);
  store.images.remove(image.id);
  let named = false;
  const removed = await store.collect({
    onProgress: () => {
      // The first batch is gone; the rest of the image may still be there and is named again.
      const here = [layer.descriptor.digest, image.id].every((digest) => store.blobs.has(digest));
      if (!named && here) store.images.put(image.target, ["late"]);
      named = true;
    },
  });
  expect(removed.blobs).toBeGreaterThanOrEqual(blobs.length);
  for (const record of store.images.list()) expect(store.blobs.has(record.id)).toBe(true);
  expect((await store.check()).filter((finding) => finding.kind === "blob-missing")).toEqual([]);
});

test("check finds seeded damage and repair mends what it can", async () => {
  await using here = await openTestStore();
  const { store, root, database } = here;
  const layers = await Promise.all(
    ["a", "b", "c"].map((name) => plantLayer(store, layerTar([{ name, content: name }]))),
  );
  const image = await plantImage(store, "x", layers);
  const top = await store.layers.ensure(await store.images.open(image));
  store.snapshots.prepare("c1", top);
  expect(await store.check({ deep: true })).toEqual([]);
  const stack = store.layers.list();
  const blob = (digest: Digest) => join(root, "blobs/sha256", digest.slice(7));
  rmSync(join(root, "layers", stack[2]!.id), { recursive: true });
  database.run("DELETE FROM layers WHERE chain_id = ?", stack[0]!.chainId);
  writeFileSync(join(root, "blobs/sha256", "0".repeat(64)), "stray");
  mkdirSync(join(root, "layers/stray/fs"), { recursive: true });
  rmSync(join(root, "layers", store.snapshots.get("c1")!.id), { recursive: true });
  const extra = await store.blobs.put(bytes("flipped"));
  writeFileSync(blob(extra.digest), "fl1pped");
  const short = await store.blobs.put(bytes("shortened"));
  truncateSync(blob(short.digest), 3);
  const lost = await store.blobs.put(bytes("lost"));
  rmSync(blob(lost.digest));
  const findings = await store.check({ deep: true });
  expect(findings.map((finding): string => finding.kind).sort()).toEqual(
    [
      "blob-digest",
      "blob-missing",
      "blob-size",
      "blob-unnamed",
      "layer-missing",
      "layer-orphan",
      "layer-unnamed",
      "layer-unnamed",
      "snapshot-missing",
    ].sort(),
  );
  await store.repair(findings);
  await store.layers.ensure(await store.images.open(image));
  expect(await store.repair(await store.check({ deep: true }))).toEqual([]);
  expect(await store.check({ deep: true })).toEqual([]);
  expect(store.snapshots.get("c1")!.lowers.length).toBe(3);
  rmSync(blob(layers[1]!.descriptor.digest));
  await store.repair(await store.check());
  const left = await store.check();
  expect(left.map((finding) => finding.kind)).toEqual(["image-broken"]);
  expect(left[0]!.remedy).toContain("pull or load it again");
});

test("after a power loss a layer not yet on disk is unpacked again", async () => {
  using folder = scratch();
  let id = "";
  const tar = layerTar([{ name: "a", content: "content" }]);
  {
    await using here = await openTestStore({ root: folder.path, keep: true, boot: "before" });
    const layer = await plantLayer(here.store, tar);
    const record = await here.store.layers.unpack(layer.descriptor, layer.diffId, undefined);
    await here.store.check();
    here.database.run("UPDATE layers SET synced = 0");
    id = record.id;
    truncateSync(join(folder.path, "layers", id, "fs/a"), 0);
  }
  await using here = await openTestStore({ root: folder.path, keep: true, boot: "after" });
  const [layer] = here.store.layers.list();
  expect(layer!.id).not.toBe(id);
  expect(readFileSync(join(folder.path, "layers", layer!.id, "fs/a"), "utf8")).toBe("content");
  expect(await here.store.check({ deep: true })).toEqual([]);
  expect(existsSync(join(folder.path, "layers", id))).toBe(false);
});

test("a full disk is said in words, and the store is whole afterwards", async () => {
  using folder = scratch();
  const root = join(folder.path, "small");
  mkdirSync(root);
  const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", root]);
  expect(mounted.exitCode).toBe(0);
  try {
    await using here = await openTestStore({ root, keep: true });
    const big = new Uint8Array(8_000_000).fill(7);
    expect(await kindOf(() => here.store.blobs.fetch(wanted(big), source(big)))).toBe("exhausted");
    for (const left of readdirSync(join(root, "ingest"))) here.store.blobs.discard(left);
    const zeros = layerTar([{ name: "zeros", content: new Uint8Array(8_000_000) }]);
    const packed = await plantLayer(here.store, zeros, true);
    expect(await kindOf(() => here.store.layers.unpack(packed.descriptor, packed.diffId, undefined))).toBe("exhausted");
    expect(await here.store.check({ deep: true })).toEqual([]);
    expect(readdirSync(join(root, "layers"))).toEqual(["empty"]);
    await here.store.blobs.put(bytes("there is room again"));
  } finally {
    Bun.spawnSync(["umount", root]);
  }
});

test("an image that has its names already is put without a write", async () => {
  const points: string[] = [];
  await using here = await openTestStore({ faults: { at: (point) => points.push(point) } });
  const layer = await plantLayer(here.store, layerTar([{ name: "a", content: "a" }]));
  const { target, names } = await plantImage(here.store, "again:1", [layer]);
  points.length = 0;
  expect(here.store.images.put(target, names).names).toEqual(names);
  expect(here.store.images.put(target).names).toEqual(names);
  expect(points).toEqual([]);
  here.store.images.put(target, ["again:2"]);
  expect(points).toEqual(["database.images.put.commit"]);
});
