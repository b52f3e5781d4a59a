import { expect, test } from "bun:test";
import fc from "fast-check";
import { filterQuery } from "./filter-flag.ts";

test("filters of one name are gathered, and a value may hold =", () => {
  expect(JSON.parse(filterQuery(["status=exited", "status=created", "label=a=b=c"])!)).toEqual({
    status: ["exited", "created"],
    label: ["a=b=c"],
  });
  expect(filterQuery([])).toBeUndefined();
});

test("a word without a name or = is refused", () => {
  for (const text of ["status", "=x", ""]) expect(() => filterQuery([text])).toThrow("not of the form name=value");
});

test("every name comes through, JavaScript's own too", () => {
  const name = fc.oneof(
    fc.constantFrom("constructor", "toString", "hasOwnProperty"),
    fc.stringMatching(/^[a-z]{1,9}$/),
  );
  fc.assert(
    fc.property(name, fc.string(), (key, value) => {
      expect(JSON.parse(filterQuery([`${key}=${value}`])!)[key]).toEqual([value]);
    }),
  );
});
