import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CacheMounts, type CacheRequest } from "./cache-mounts.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "caches-"));
});
afterEach(() => rmSync(root, { recursive: true }));

const request = (sharing: CacheRequest["sharing"], id = "a"): CacheRequest => ({
  id,
  sharing,
  mode: 0o750,
  uid: 7,
  gid: 8,
});
const patient = new AbortController().signal;

test("a shared cache is one folder for all who use it, made as the first asked for it", async () => {
  const caches = new CacheMounts(join(root, "caches"));
  using first = await caches.hold(request("shared"), patient);
  using second = await caches.hold(request("shared"), patient);
  expect(second.folder).toBe(first.folder);
  const { mode, uid, gid } = statSync(first.folder);
  expect([mode & 0o7777, uid, gid]).toEqual([0o750, 7, 8]);
  using other = await caches.hold(request("shared", "../../b"), patient);
  expect(other.folder).not.toBe(first.folder);
  expect(other.folder).toStartWith(join(root, "caches/"));
});

test("a private cache in use gives the next one another folder, and the same again when it is free", async () => {
  const caches = new CacheMounts(root);
  const first = await caches.hold(request("private"), patient);
  using second = await caches.hold(request("private"), patient);
  expect(second.folder).not.toBe(first.folder);
  expect(caches.idle()).toEqual([]);
  first[Symbol.dispose]();
  expect(caches.idle()).toEqual([first.folder]);
  using third = await caches.hold(request("private"), patient);
  expect(third.folder).toBe(first.folder);
});

test("a locked cache is used by one after the other; who gives up waiting is told why", async () => {
  const caches = new CacheMounts(root);
  const first = await caches.hold(request("locked"), patient);
  const order: string[] = [];
  const second = caches.hold(request("locked"), patient).then((held) => {
    order.push("second");
    return held;
  });
  const leaving = new AbortController();
  const third = caches.hold(request("locked"), leaving.signal);
  leaving.abort(new Error("left"));
  await expect(third).rejects.toThrow("left");
  order.push("first ends");
  first[Symbol.dispose]();
  (await second)[Symbol.dispose]();
  expect(order).toEqual(["first ends", "second"]);
});
