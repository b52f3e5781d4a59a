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
