import { expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { isKind } from "#base/core/errors.ts";
import { openFolder } from "#base/system/files/open.ts";
import { statAt } from "#base/system/files/status.ts";
import { getXattrAt, listXattrsAt } from "#base/system/files/xattr.ts";
import { digestOf } from "#formats/oci/digest.ts";
import { gzip, latin1, layerTar, scratch, type TestEntry } from "../testing/test-store.ts";
import { unpackLayerInto } from "./unpack.ts";

/** A target with what must never change beside it. */
function place(parents: readonly (readonly TestEntry[])[] = []) {
  const folder = scratch();
  const canaryFolder = mkdtempSync("/tmp/canary-");
  const canary = join(canaryFolder, "canary");
  writeFileSync(canary, "untouched", { mode: 0o600 });
  const before = JSON.stringify(lstatSync(canary));
  const lowers: string[] = [];
  const unpack = (entries: readonly TestEntry[] | Uint8Array, target: string, limit = 1e9) => {
    mkdirSync(target);
    const tar = entries instanceof Uint8Array ? entries : layerTar(entries);
    const blob = `${target}.tar`;
    writeFileSync(blob, tar);
    const digest = digestOf(tar);
    const args = { blob, digest, size: tar.length, diffId: digest, target, parents: lowers, limit };
    const context = { aborted: () => false, check: () => undefined, progress: () => undefined };
    return unpackLayerInto(args, context);
  };
  for (const [index, entries] of parents.entries()) {
    unpack(entries, join(folder.path, `parent-${index}`));
    lowers.unshift(join(folder.path, `parent-${index}`));
  }
  const target = join(folder.path, "target");
  return {
    canaryFolder,
    canary,
    target,
    unpack: (entries: readonly TestEntry[] | Uint8Array, limit?: number) => unpack(entries, target, limit),
    at: (path: string) => join(target, path),
    [Symbol.dispose]() {
      const { atimeMs: _, ...after } = JSON.parse(JSON.stringify(lstatSync(canary)));
      const { atimeMs: __, ...was } = JSON.parse(before);
      expect(after).toEqual(was);
      expect(readFileSync(canary, "utf8")).toBe("untouched");
      expect(readdirSync(canaryFolder)).toEqual(["canary"]);
      rmSync(canaryFolder, { recursive: true });
      folder[Symbol.dispose]();
    },
  };
}

function refused(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (isKind(error)) return error.kind;
    throw error;
  }
  return "nothing";
}

test("row 1: a file below a symlink that leads out stays in the layer or is refused", () => {
  using here = place();
  const kind = refused(() =>
    here.unpack([
      { name: "a", type: "symlink", linkName: here.canaryFolder },
      { name: "a/pwn", content: "x" },
    ]),
  );
  expect(kind).toBe("invalid");
  using inside = place();
  inside.unpack([
    { name: "etc/", type: "directory" },
    { name: "a", type: "symlink", linkName: "/etc" },
    { name: "up", type: "symlink", linkName: "../../../../etc" },
    { name: "a/inside", content: "x" },
    { name: "up/also", content: "y" },
  ]);
  expect(readFileSync(inside.at("etc/inside"), "utf8")).toBe("x");
  expect(readFileSync(inside.at("etc/also"), "utf8")).toBe("y");
  expect(existsSync("/etc/inside")).toBe(false);
});

test("row 2: hard links that lead up, out, through a symlink, to a folder or nowhere are refused", () => {
  for (const entries of [
    [{ name: "l", type: "hardlink", linkName: "../../../etc/passwd" }],
    [{ name: "l", type: "hardlink", linkName: "/etc/passwd" }],
    [
      { name: "d", type: "symlink", linkName: "/etc" },
      { name: "l", type: "hardlink", linkName: "d/passwd" },
    ],
    [
      { name: "d/", type: "directory" },
      { name: "l", type: "hardlink", linkName: "d" },
    ],
    [{ name: "l", type: "hardlink", linkName: "l" }],
    [{ name: "l", type: "hardlink", linkName: "" }],
    [{ name: "l", type: "hardlink", linkName: ".wh.x" }],
  ] satisfies TestEntry[][]) {
    using here = place();
    expect(refused(() => here.unpack(entries))).toBe("invalid");
  }
  using whiteout = place([[{ name: "x", content: "below" }]]);
  const forged: TestEntry[] = [{ name: ".wh.x" }, { name: "l", type: "hardlink", linkName: "x" }];
  expect(refused(() => whiteout.unpack(forged))).toBe("invalid");
});

test("row 3: the root stays a folder", () => {
  for (const name of [".", "/", "./", "//", "./."])
    for (const type of ["symlink", "file", "hardlink", "character"] as const) {
      using here = place();
      const entry: TestEntry = {
        name,
        type,
        linkName: type === "file" || type === "character" ? "" : "/",
        major: 1,
        minor: 3,
      };
      expect(refused(() => here.unpack([entry]))).toBe("invalid");
      expect(statSync(here.target).isDirectory()).toBe(true);
    }
  using here = place();
  here.unpack([{ name: "./", type: "directory", mode: 0o1777, uid: 5 }]);
  expect(statSync(here.target).mode & 0o7777).toBe(0o1777);
});

test("row 5: opaque marks and whiteouts below a symlink act inside the layer only", () => {
  using here = place([[{ name: "etc/x", content: "below" }]]);
  here.unpack([
    { name: "etc/", type: "directory" },
    { name: "a", type: "symlink", linkName: "/etc" },
    { name: "a/.wh..wh..opq" },
    { name: "a/.wh.canary" },
    { name: ".wh..wh..opq" },
  ]);
  using root = openFolder(here.target);
  expect(getXattrAt(root.fd, "etc", "trusted.overlay.opaque")).toEqual(latin1("y"));
  expect(getXattrAt(root.fd, ".", "trusted.overlay.opaque")).toEqual(latin1("y"));
  expect(existsSync("/etc/passwd")).toBe(true);
  using out = place([[{ name: "x", content: "" }]]);
  const leading: TestEntry[] = [{ name: "a", type: "symlink", linkName: out.canaryFolder }, { name: "a/.wh.canary" }];
  expect(refused(() => out.unpack(leading))).toBe("invalid");
  for (const name of [".wh.", ".wh..", ".wh...", "d/.wh..", ".wh.d/x"]) {
    using odd = place([[{ name: "x", content: "" }]]);
    expect(refused(() => odd.unpack([{ name }]))).toBe("invalid");
  }
});

test("row 6: overlay's own marks cannot be forged", () => {
  using device = place();
  expect(refused(() => device.unpack([{ name: "x", type: "character", major: 0, minor: 0 }]))).toBe("invalid");
  using here = place();
  const xattrs = new Map(
    [
      "trusted.overlay.opaque",
      "trusted.overlay.redirect",
      "trusted.overlay.metacopy",
      "user.overlay.opaque",
      "security.selinux",
    ].map((name) => [name, latin1("y")] as const),
  );
  const done = here.unpack([
    { name: "d/", type: "directory", xattrs },
    { name: "f", xattrs: new Map([...xattrs, ["user.kept", latin1("k")]]) },
  ]);
  expect(done.strippedXattrs).toBe(10);
  using root = openFolder(here.target);
  expect(listXattrsAt(root.fd, "d")).toEqual([]);
  expect(listXattrsAt(root.fd, "f")).toEqual(["user.kept"]);
});

test("row 10: a layer that unpacks to more than it may is refused as exhausted", () => {
  using here = place();
  const big = layerTar([{ name: "big", content: new Uint8Array(3_000_000) }]);
  expect(refused(() => here.unpack(big, 2_000_000))).toBe("exhausted");
});

test("row 11: a layer truncated anywhere is corrupt", () => {
  const tar = gzip(
    layerTar([
      { name: "a", content: "x".repeat(5000) },
      { name: "b", content: "y".repeat(5000) },
    ]),
  );
  for (const length of [10, 30, tar.length - 9, tar.length - 1]) {
    using here = place();
    expect(refused(() => here.unpack(tar.slice(0, length)))).toBe("corrupt");
  }
});

test("row 12: mode, owner and xattrs of a symlink never reach what it points to", () => {
  using here = place();
  here.unpack([
    {
      name: "l",
      type: "symlink",
      linkName: here.canary,
      mode: 0o777,
      uid: 1234,
      gid: 1234,
      xattrs: new Map([
        ["user.x", latin1("x")],
        ["trusted.x", latin1("x")],
      ]),
    },
  ]);
  expect(readlinkSync(here.at("l"))).toBe(here.canary);
  expect(lstatSync(here.at("l")).uid).toBe(1234);
  using folder = openFolder(here.canaryFolder);
  expect(listXattrsAt(folder.fd, "canary")).toEqual([]);
});

test("row 14: names are kept byte for byte or refused", () => {
  using here = place();
  here.unpack([
    { name: "a//b", content: "1" },
    { name: "a/./c", content: "2" },
    { name: "/abs", content: "3" },
    { name: "bytes-\xff\xfe\n", content: "4" },
    { name: "\xc3\x28", content: "5" },
    { name: "twice", content: "old" },
    { name: "twice", content: "new" },
    { name: `${"d".repeat(255)}/${"e".repeat(255)}/${"f".repeat(255)}`, content: "6" },
  ]);
  const names = readdirSync(here.target, { encoding: "buffer" }).map((name) => Buffer.from(name).toString("latin1"));
  expect(names.sort()).toEqual(["\xc3\x28", "a", "abs", "bytes-\xff\xfe\n", "d".repeat(255), "twice"].sort());
  expect(readdirSync(here.at("a"))).toEqual(["b", "c"]);
  expect(readFileSync(here.at("twice"), "utf8")).toBe("new");
  for (const name of ["x".repeat(256), "y/".repeat(2500), "../x", "a/../../x", "file/"]) {
    using odd = place();
    expect(refused(() => odd.unpack([{ name, content: "x" }]))).toBe("invalid");
  }
});

test("files come out whole: links, devices, sparse, setuid, capabilities, times", () => {
  using here = place();
  const capability = Uint8Array.of(1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  here.unpack([
    { name: "d/", type: "directory", mode: 0o2750, uid: 7, gid: 8, modified: { seconds: 12, nanoseconds: 34 } },
    {
      name: "d/suid",
      mode: 0o4755,
      uid: 1000,
      gid: 1000,
      content: "s",
      xattrs: new Map([["security.capability", capability]]),
    },
    { name: "d/hard", type: "hardlink", linkName: "d/suid" },
    { name: "d/null", type: "character", mode: 0o666, major: 1, minor: 3 },
    { name: "d/disk", type: "block", mode: 0o660, major: 259, minor: 70_000 },
    { name: "d/pipe", type: "fifo", mode: 0o600 },
    { name: "l", type: "symlink", linkName: "\xff/x", modified: { seconds: 99, nanoseconds: 0 } },
  ]);
  using root = openFolder(here.target);
  expect(statAt(root.fd, "d")).toMatchObject({
    mode: 0o2750,
    uid: 7,
    gid: 8,
    modified: { seconds: 12, nanoseconds: 34 },
  });
  expect(statAt(root.fd, "d/suid")).toMatchObject({ mode: 0o4755, uid: 1000, links: 2 });
  expect(getXattrAt(root.fd, "d/suid", "security.capability")).toEqual(capability);
  expect(statAt(root.fd, "d/null")).toMatchObject({ kind: "character", major: 1, minor: 3, mode: 0o666 });
  expect(statAt(root.fd, "d/disk")).toMatchObject({ kind: "block", major: 259, minor: 70_000 });
  expect(statAt(root.fd, "l")).toMatchObject({ kind: "symlink", modified: { seconds: 99, nanoseconds: 0 } });
});

test("GNU tar's sparse files stay sparse", () => {
  using here = place();
  using source = scratch();
  Bun.spawnSync(["sh", "-c", `truncate -s 20M f; printf data | dd of=f bs=1 seek=9000000 conv=notrunc status=none`], {
    cwd: source.path,
  });
  const made = Bun.spawnSync(["tar", "-C", source.path, "--sparse", "--format=posix", "-c", "f"], { stdout: "pipe" });
  here.unpack(new Uint8Array(made.stdout));
  expect(Buffer.compare(readFileSync(here.at("f")), readFileSync(join(source.path, "f")))).toBe(0);
  expect(statSync(here.at("f")).blocks * 512).toBeLessThan(1_000_000);
});

test("a folder no entry names looks as it does in the layers below", () => {
  using here = place([
    [{ name: "opt/", type: "directory", mode: 0o1770, uid: 3, gid: 4, modified: { seconds: 77, nanoseconds: 0 } }],
    [{ name: "other", content: "" }],
  ]);
  here.unpack([{ name: "opt/new/file", content: "x" }]);
  using root = openFolder(here.target);
  expect(statAt(root.fd, "opt")).toMatchObject({
    mode: 0o1770,
    uid: 3,
    gid: 4,
    modified: { seconds: 77, nanoseconds: 0 },
  });
  expect(statAt(root.fd, "opt/new")).toMatchObject({ mode: 0o755, uid: 0, modified: { seconds: 0, nanoseconds: 0 } });
});

test("a name hidden and made again in one layer hides only what is below", () => {
  using here = place([
    [
      { name: "d/old", content: "" },
      { name: "f", content: "" },
      { name: "e/old", content: "" },
    ],
  ]);
  here.unpack([
    { name: ".wh.d" },
    { name: "d/new", content: "x" },
    { name: "f", content: "new" },
    { name: ".wh.f" },
    { name: "e/", type: "directory" },
    { name: ".wh.e" },
  ]);
  using root = openFolder(here.target);
  expect(getXattrAt(root.fd, "d", "trusted.overlay.opaque")).toEqual(latin1("y"));
  expect(getXattrAt(root.fd, "e", "trusted.overlay.opaque")).toEqual(latin1("y"));
  expect(readFileSync(here.at("f"), "utf8")).toBe("new");
});

test("later entries replace earlier ones of another kind", () => {
  using here = place();
  here.unpack([
    { name: "x/", type: "directory" },
    { name: "x/deep/file", content: "" },
    { name: "x", content: "file" },
    { name: "y", type: "symlink", linkName: "/etc" },
    { name: "y/", type: "directory" },
    { name: "y/z", content: "inside" },
  ]);
  expect(readFileSync(here.at("x"), "utf8")).toBe("file");
  expect(readFileSync(here.at("y/z"), "utf8")).toBe("inside");
});
