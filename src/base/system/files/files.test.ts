import { expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errnoName } from "#base/system/libc/errno.ts";
import {
  chmodSafelyAt,
  chownAt,
  linkAt,
  makeFolderAt,
  makeNodeAt,
  makeSymlinkAt,
  readLinkAt,
  renameAt,
  touchAt,
} from "./change.ts";
import type { FileStatus } from "./contract.ts";
import { listFolder } from "./list.ts";
import { lockFile } from "./lock.ts";
import { closeFd, openAt, openFlags, openFolder, openInside, owned } from "./open.ts";
import { removeTree } from "./remove-tree.ts";
import { statAt, statFd } from "./status.ts";
import { nextData, nextHole } from "./sync.ts";
import { getXattrAt, listXattrsAt, setXattrAt } from "./xattr.ts";

function scratch(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), "files-test-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

test("names below a root never leave it", () => {
  using folder = scratch();
  mkdirSync(join(folder.path, "root/etc"), { recursive: true });
  writeFileSync(join(folder.path, "root/etc/passwd"), "inside");
  writeFileSync(join(folder.path, "outside"), "outside");
  symlinkSync("/etc", join(folder.path, "root/link"));
  using root = openFolder(join(folder.path, "root"));
  using inside = owned(openInside(root.fd, "link/../../../etc/passwd", "in-root", openFlags.read));
  expect(readFileSync(inside.fd, "utf8")).toBe("inside");
  expect(errnoName(openInside(root.fd, "link/passwd", "beneath", openFlags.read))).toBe("ELOOP");
  expect(errnoName(openInside(root.fd, "../outside", "beneath", openFlags.read))).toBe("EXDEV");
  expect(errnoName(openInside(root.fd, "../outside", "in-root", openFlags.read))).toBe("ENOENT");
});

test("a mode set by name goes to what is there itself, and never through a link that was put in its place", () => {
  using folder = scratch();
  using root = openFolder(folder.path);
  const outside = join(folder.path, "outside");
  writeFileSync(outside, "", { mode: 0o600 });
  mkdirSync(join(folder.path, "made"), { mode: 0o700 });
  symlinkSync(outside, join(folder.path, "swapped"));
  expect(chmodSafelyAt(root.fd, "made", 0o751)).toBe(0);
  chmodSafelyAt(root.fd, "swapped", 0o666);
  expect(statAt(root.fd, "made")).toMatchObject({ mode: 0o751 });
  expect(statAt(root.fd, "outside")).toMatchObject({ mode: 0o600 });
});

test("every kind of file is made, described and listed by its bytes", () => {
  using folder = scratch();
  using root = openFolder(folder.path);
  const odd = Uint8Array.of(0xff, 0xfe, 0x0a);
  expect(makeFolderAt(root.fd, odd, 0o750)).toBe(0);
  expect(makeNodeAt(root.fd, "null", "character", 0o600, 1, 3)).toBe(0);
  expect(makeNodeAt(root.fd, "big", "block", 0o600, 259, 1_000_000)).toBe(0);
  expect(makeNodeAt(root.fd, "whiteout", "character", 0)).toBe(0);
  expect(makeNodeAt(root.fd, "pipe", "fifo", 0o600)).toBe(0);
  expect(makeSymlinkAt(Uint8Array.of(0xc0, 0x2f), root.fd, "link")).toBe(0);
  expect(linkAt(root.fd, "link", root.fd, "hard")).toBe(0);
  expect(chownAt(root.fd, "link", 70_000, 80_000)).toBe(0);
  expect(touchAt(root.fd, "link", { seconds: -5, nanoseconds: 7 })).toBe(0);
  const status = (name: string | Uint8Array) => statAt(root.fd, name) as FileStatus;
  expect(status(odd)).toMatchObject({ kind: "directory", mode: 0o750 });
  expect(status("null")).toMatchObject({ kind: "character", major: 1, minor: 3 });
  expect(status("big")).toMatchObject({ kind: "block", major: 259, minor: 1_000_000 });
  expect(status("whiteout")).toMatchObject({ kind: "character", major: 0, minor: 0 });
  expect(status("hard")).toMatchObject({
    kind: "symlink",
    uid: 70_000,
    gid: 80_000,
    links: 2,
    modified: { seconds: -5, nanoseconds: 7 },
  });
  expect(statAt(root.fd, "missing")).toBeUndefined();
  expect(readLinkAt(root.fd, "link")).toEqual(Uint8Array.of(0xc0, 0x2f));
  expect(errnoName(renameAt(root.fd, "link", root.fd, "pipe"))).toBe("EEXIST");
  expect(renameAt(root.fd, "link", root.fd, "pipe", { replace: true })).toBe(0);
  const names = listFolder(root.fd).map((entry) => `${Buffer.from(entry.name).toString("hex")} ${entry.kind}`);
  expect(names.sort()).toEqual(
    [
      `${Buffer.from(odd).toString("hex")} directory`,
      ...[
        ["null", "character"],
        ["big", "block"],
        ["whiteout", "character"],
        ["pipe", "symlink"],
        ["hard", "symlink"],
      ].map(([name, kind]) => `${Buffer.from(name!).toString("hex")} ${kind}`),
    ].sort(),
  );
});

test("xattrs keep every byte, also on a symlink and with a name that is no UTF-8", () => {
  using folder = scratch();
  using root = openFolder(folder.path);
  closeFd(openAt(root.fd, Uint8Array.of(0xff), openFlags.write | openFlags.create, 0o600));
  const value = Uint8Array.of(0xc0, 0, 0xff);
  expect(setXattrAt(root.fd, Uint8Array.of(0xff), "user.bin", value)).toBe(0);
  expect(setXattrAt(root.fd, Uint8Array.of(0xff), "user.empty", new Uint8Array(0))).toBe(0);
  expect(getXattrAt(root.fd, Uint8Array.of(0xff), "user.bin")).toEqual(value);
  expect(getXattrAt(root.fd, Uint8Array.of(0xff), "user.empty")).toEqual(new Uint8Array(0));
  expect((listXattrsAt(root.fd, Uint8Array.of(0xff)) as string[]).sort()).toEqual(["user.bin", "user.empty"]);
  expect(errnoName(getXattrAt(root.fd, Uint8Array.of(0xff), "user.none") as number)).toBe("ENODATA");
  makeSymlinkAt("/nowhere", root.fd, "link");
  expect(setXattrAt(root.fd, "link", "trusted.x", value)).toBe(0);
  expect(getXattrAt(root.fd, "link", "trusted.x")).toEqual(value);
});

test("data and holes of a sparse file are found", () => {
  using folder = scratch();
  using root = openFolder(folder.path);
  using file = owned(openAt(root.fd, "sparse", openFlags.readWrite | openFlags.create, 0o600));
  const { ftruncateSync, writeSync } = require("node:fs") as typeof import("node:fs");
  ftruncateSync(file.fd, 10 * 1024 * 1024);
  writeSync(file.fd, Buffer.alloc(4096, 1), 0, 4096, 4 * 1024 * 1024);
  expect(nextData(file.fd, 0)).toBe(4 * 1024 * 1024);
  expect(nextHole(file.fd, 4 * 1024 * 1024)).toBe(4 * 1024 * 1024 + 4096);
  expect(nextData(file.fd, 5 * 1024 * 1024)).toBeUndefined();
  expect((statFd(file.fd) as FileStatus).allocated).toBeLessThan(100_000);
});

test("a lock is one process's own and ends with its holder", () => {
  using folder = scratch();
  const path = join(folder.path, "lock");
  {
    using _held = lockFile(path);
    expect(() => lockFile(path)).toThrow(/another process holds it/);
  }
  using again = lockFile(path);
  expect(again.path).toBe(path);
});

test("a tree deeper than any path is removed whole, links in it are not followed", () => {
  using folder = scratch();
  writeFileSync(join(folder.path, "canary"), "safe");
  mkdirSync(join(folder.path, "tree"));
  let here = openFolder(join(folder.path, "tree"));
  for (let depth = 0; depth < 3000; depth++) {
    makeFolderAt(here.fd, "d", 0o700);
    makeSymlinkAt(join(folder.path, "canary"), here.fd, "link");
    const next = owned(openAt(here.fd, "d", openFlags.directory));
    here[Symbol.dispose]();
    here = next;
  }
  here[Symbol.dispose]();
  expect(removeTree(join(folder.path, "tree"))).toBe(6001);
  expect(existsSync(join(folder.path, "tree"))).toBe(false);
  expect(readFileSync(join(folder.path, "canary"), "utf8")).toBe("safe");
  expect(removeTree(join(folder.path, "missing"))).toBe(0);
});
