import { expect, test } from "bun:test";
import fc from "fast-check";
import { GantryError } from "#base/core/errors.ts";
import { moment } from "./moment.ts";

test("seconds, RFC 3339 and spans ago are moments in milliseconds", () => {
  expect(moment("1700000000", "x")).toBe(1_700_000_000_000);
  expect(moment("1700000000.5", "x")).toBe(1_700_000_000_500);
  expect(moment("2026-01-31T12:00:00Z", "x")).toBe(Date.UTC(2026, 0, 31, 12));
  expect(moment("1h30m", "x", 10_000_000)).toBe(10_000_000 - 5_400_000);
  expect(moment("250ms", "x", 1000)).toBe(750);
});

test("anything else is refused, never taken for never", () => {
  for (const text of ["", "soon", "10 moons"]) expect(() => moment(text, "x")).toThrow(GantryError);
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        expect(Number.isNaN(moment(text, "x"))).toBe(false);
      } catch (error) {
        expect(error).toBeInstanceOf(GantryError);
      }
    }),
  );
});
