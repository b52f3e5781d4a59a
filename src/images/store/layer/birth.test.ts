import { expect, test } from "bun:test";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "#formats/oci/digest.ts";
import { layerTar, scratch, type TestEntry } from "../testing/test-store.ts";
import { unpackLayerInto } from "./unpack.ts";

function unpacked(entries: readonly TestEntry[]) {
  const folder = scratch();
  const [blob, target] = [join(folder.path, "layer.tar"), join(folder.path, "target")];
  mkdirSync(target);
  const tar = layerTar(entries);
  writeFileSync(blob, tar);
  const digest = digestOf(tar);
  unpackLayerInto(
    { blob, digest, size: tar.length, diffId: digest, target, parents: [], limit: 1e9 },
    { aborted: () => false, check: () => undefined, progress: () => undefined },
  );
  return {
    /** "mode uid gid" of a path. */
    at(path: string) {
      const { mode, uid, gid } = statSync(join(target, path));
      return `${(mode & 0o7777).toString(8)} ${uid} ${gid}`;
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

/** linux/posix_acl_xattr.h, version 2: owner may read, nobody else anything. */
function ownerReadsOnly(): Uint8Array {
  const acl = Buffer.alloc(28);
  acl.writeUInt32LE(2, 0);
  for (const [index, [tag, permission]] of [[1, 4] as const, [4, 0] as const, [0x20, 0] as const].entries()) {
    acl.writeUInt16LE(tag, 4 + index * 8);
    acl.writeUInt16LE(permission, 6 + index * 8);
    acl.writeUInt32LE(0xffff_ffff, 8 + index * 8);
  }
  return acl;
}

test("files of one folder keep their own owners and modes, whatever the first was born with", () => {
  using there = unpacked([
    { name: "d/", type: "directory" },
    { name: "d/first", mode: 0o644 },
    { name: "d/second", mode: 0o666 },
    { name: "d/third", mode: 0o4755, uid: 7, gid: 8 },
    { name: "d/fourth", mode: 0o2755 },
    { name: "d/fifth", mode: 0 },
    { name: "d/sixth", mode: 0o600, gid: 9 },
  ]);
  expect(["first", "second", "third", "fourth", "fifth", "sixth"].map((name) => there.at(`d/${name}`))).toEqual([
    "644 0 0",
    "666 0 0",
    "4755 7 8",
    "2755 0 0",
    "0 0 0",
    "600 0 9",
  ]);
});

test("a folder's setgid bit gives its group to no file of the layer", () => {
  using there = unpacked([
    { name: "plain/", type: "directory" },
    { name: "plain/a", mode: 0o644 },
    { name: "shared/", type: "directory", mode: 0o2775, gid: 50 },
    { name: "shared/a", mode: 0o644 },
    { name: "shared/b", mode: 0o644, gid: 50 },
    { name: "plain/b", mode: 0o644 },
  ]);
  expect(there.at("shared/a")).toBe("644 0 0");
  expect(there.at("shared/b")).toBe("644 0 50");
  expect(there.at("plain/b")).toBe("644 0 0");
});

test("a folder that becomes setgid or gets a default ACL between its files changes none of them", () => {
  using there = unpacked([
    { name: "d/", type: "directory" },
    { name: "d/a", mode: 0o644 },
    { name: "d/", type: "directory", mode: 0o2775, gid: 50 },
    { name: "d/b", mode: 0o644 },
    { name: "d/", type: "directory", xattrs: new Map([["system.posix_acl_default", ownerReadsOnly()]]) },
    { name: "d/c", mode: 0o644 },
    { name: "d/d", mode: 0o755 },
  ]);
  expect(["a", "b", "c", "d"].map((name) => there.at(`d/${name}`))).toEqual([
    "644 0 0",
    "644 0 0",
    "644 0 0",
    "755 0 0",
  ]);
});

test("the same holds when the folder is named through a link of the layer", () => {
  using there = unpacked([
    { name: "d/", type: "directory" },
    { name: "way", type: "symlink", linkName: "d" },
    { name: "way/a", mode: 0o644 },
    { name: "d/", type: "directory", mode: 0o2775, gid: 50 },
    { name: "way/b", mode: 0o644 },
  ]);
  expect(there.at("d/b")).toBe("644 0 0");
});

test("an umask takes nothing from a layer's modes", () => {
  const before = process.umask(0o077);
  try {
    using there = unpacked([
      { name: "a", mode: 0o644 },
      { name: "b", mode: 0o755 },
      { name: "c", mode: 0o700 },
    ]);
    expect([there.at("a"), there.at("b"), there.at("c")]).toEqual(["644 0 0", "755 0 0", "700 0 0"]);
  } finally {
    process.umask(before);
  }
});
