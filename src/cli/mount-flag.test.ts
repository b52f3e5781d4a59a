import { expect, test } from "bun:test";
import { resolve } from "node:path";
import fc from "fast-check";
import { GantryError } from "#base/core/errors.ts";
import { parseMountFlag } from "./mount-flag.ts";

test("bind, volume and tmpfs take docker's fields", () => {
  expect(parseMountFlag("type=bind,source=/a,target=/b,readonly")).toEqual({
    Type: "bind",
    Source: "/a",
    Target: "/b",
    ReadOnly: true,
    BindOptions: {},
  });
  expect(parseMountFlag("src=data,dst=/b,volume-nocopy")).toEqual({
    Type: "volume",
    Source: "data",
    Target: "/b",
    ReadOnly: false,
    VolumeOptions: { NoCopy: true },
  });
  expect(parseMountFlag("type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1770")).toMatchObject({
    TmpfsOptions: { SizeBytes: 1048576, Mode: 0o1770 },
  });
});

test("a volume's driver options, part and labels, an image's part, and how far a bind reaches", () => {
  const text = 'src=v,dst=/b,volume-subpath=a/b,volume-label=x=1,volume-opt=type=nfs,"volume-opt=o=addr=1.2.3.4,ro"';
  expect(parseMountFlag(text).VolumeOptions).toEqual({
    Subpath: "a/b",
    Labels: { x: "1" },
    DriverConfig: { Options: { type: "nfs", o: "addr=1.2.3.4,ro" } },
  });
  expect(parseMountFlag("type=image,src=busybox,dst=/b,image-subpath=etc")).toMatchObject({
    Type: "image",
    ImageOptions: { Subpath: "etc" },
  });
  expect(parseMountFlag("type=bind,src=/a,dst=/b,ro,bind-recursive=writable").BindOptions).toEqual({
    ReadOnlyNonRecursive: true,
  });
  expect(() => parseMountFlag("type=bind,src=/a,dst=/b,bind-recursive=maybe")).toThrow("bind-recursive=maybe");
});

test("a relative source is the caller's, and ro=false is no read-only", () => {
  expect(parseMountFlag("type=bind,source=./x,target=/b,ro=false")).toMatchObject({
    Source: resolve("./x"),
    ReadOnly: false,
  });
});

test("an unknown field, an unknown type and a missing target are named", () => {
  expect(() => parseMountFlag("type=bind,sorce=/a,target=/b")).toThrow("the field sorce is not known");
  expect(() => parseMountFlag("type=nfs,target=/b")).toThrow("the type nfs");
  expect(() => parseMountFlag("type=bind,source=/a")).toThrow("no target");
});

test("no text makes it throw anything but a refusal", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      try {
        parseMountFlag(`${a},target=${b},tmpfs-size=${a}`);
      } catch (error) {
        expect(error).toBeInstanceOf(GantryError);
      }
    }),
  );
});
