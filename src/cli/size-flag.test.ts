import { expect, test } from "bun:test";
import fc from "fast-check";
import { GantryError } from "#base/core/errors.ts";
import { parseSize } from "./size-flag.ts";

test("units are binary, with and without b", () => {
  expect(["1", "1b", "1k", "1KiB", "1.5m", "2g"].map((text) => parseSize(text, "memory"))).toEqual([
    1, 1, 1024, 1024, 1572864, 2147483648,
  ]);
  expect(parseSize(undefined, "memory")).toBeUndefined();
});

test("what is no size is refused, naming the flag", () => {
  for (const text of ["", "-1", "m", "1x", "1e9", "0x10"]) expect(() => parseSize(text, "memory")).toThrow("--memory");
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        expect(parseSize(text, "x")).toBeGreaterThanOrEqual(0);
      } catch (error) {
        expect(error).toBeInstanceOf(GantryError);
      }
    }),
  );
});
