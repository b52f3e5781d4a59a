import { expect, test } from "bun:test";
import fc from "fast-check";
import { GantryError } from "#base/core/errors.ts";
import { instantFlag } from "./instant-flag.ts";

test("spans count back from now, times and seconds stand for themselves", () => {
  expect(instantFlag("1h30m", "since", 10_000_000)).toBe(`${10_000 - 5400}`);
  expect(instantFlag("2026-01-31T12:00:00Z", "since")).toBe(`${Date.UTC(2026, 0, 31, 12) / 1000}`);
  expect(instantFlag("1700000000.25", "since")).toBe("1700000000.25");
  expect(instantFlag(undefined, "since")).toBeUndefined();
});

test("what is neither is refused with an example of this flag", () => {
  expect(() => instantFlag("yesterday", "until")).toThrow("--until 10m");
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        expect(instantFlag(text, "since")).not.toContain("NaN");
      } catch (error) {
        expect(error).toBeInstanceOf(GantryError);
      }
    }),
  );
});
