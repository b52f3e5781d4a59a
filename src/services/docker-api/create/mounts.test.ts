import { expect, test } from "bun:test";
import fc from "fast-check";
import { GantryError } from "#base/core/errors.ts";
import type { HostConfig } from "#formats/docker/container.ts";
import { parseBind, wantedMounts } from "./mounts.ts";
import { parseTmpfs } from "./tmpfs.ts";

test("a bind, a named volume and an anonymous one", () => {
  expect(parseBind("/a:/b:ro,rslave")).toEqual({
    kind: "bind",
    source: "/a",
    target: "/b",
    readonly: true,
    makeSource: true,
    propagation: "rslave",
  });
  expect(parseBind("data:/b/./c//:nocopy")).toMatchObject({
    kind: "volume",
    name: "data",
    target: "/b/c",
    fill: false,
  });
  expect(parseBind("/b")).toMatchObject({ kind: "volume", target: "/b", fill: true });
});

test("tmpfs takes a size, a mode and the kernel's own options", () => {
  expect(parseTmpfs("/run", "rw,size=64m,mode=1770,noexec")).toEqual({
    kind: "tmpfs",
    target: "/run",
    size: 67108864,
    mode: 0o1770,
    options: ["noexec"],
  });
  expect(() => parseTmpfs("/run", "size=big")).toThrow("no number of bytes");
});

/** Every way to ask for a mount at a place; none may be weaker than another. */
const ways: readonly ((target: string) => HostConfig)[] = [
  (target) => ({ Binds: [`/a:${target}`] }),
  (target) => ({ Mounts: [{ Type: "bind", Source: "/a", Target: target }] }),
  (target) => ({ Mounts: [{ Type: "volume", Target: target }] }),
  (target) => ({ Mounts: [{ Type: "tmpfs", Target: target }] }),
  (target) => ({ Tmpfs: { [target]: "" } }),
];

test("no way in mounts over the kernel's file systems, the root, or out of it", () => {
  for (const target of ["/proc", "/proc/sys", "//proc/./x", "/sys", "/sys/kernel", "/", "/.", "/a/../b", "relative"]) {
    for (const way of ways) expect(() => wantedMounts(way(target), [])).toThrow(GantryError);
    expect(() => wantedMounts({}, [target])).toThrow(GantryError);
  }
  for (const way of ways) expect(wantedMounts(way("/sys/fs/cgroup"), [])).toHaveLength(1);
  for (const way of ways) expect(wantedMounts(way("/process"), [])).toHaveLength(1);
});

test("one place named twice is refused, however it is written; a declared volume gives way", () => {
  expect(() => wantedMounts({ Binds: ["/a:/x"], Tmpfs: { "/x/": "" } }, [])).toThrow("the same path");
  expect(wantedMounts({ Binds: ["/a:/x"] }, ["/x/", "/y"]).map((mount) => [mount.kind, mount.target])).toEqual([
    ["bind", "/x"],
    ["volume", "/y"],
  ]);
});

test("a relative source, an unknown option and an unknown type are named", () => {
  expect(() => wantedMounts({ Mounts: [{ Type: "bind", Source: "a", Target: "/x" }] }, [])).toThrow("absolute source");
  expect(() => parseBind("/a:/b:rx")).toThrow("the option rx");
  expect(() => wantedMounts({ Mounts: [{ Type: "nfs" as "bind", Target: "/x" }] }, [])).toThrow("the mount type nfs");
});

test("no text makes it throw anything but a refusal, or give a target that is not clean", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[/.:a-z,]{0,16}$/), (text) => {
      try {
        expect(parseBind(text).target).toMatch(/^(\/[^/]+)+$/);
      } catch (error) {
        expect(error).toBeInstanceOf(GantryError);
      }
    }),
  );
});
