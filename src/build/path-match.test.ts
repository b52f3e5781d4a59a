import { expect, test } from "bun:test";
import fc from "fast-check";
import { GantryError } from "#base/core/errors.ts";
import { namePattern, pathPattern } from "./path-match.ts";

// Go's filepath.Match, from its own tests.
for (const [pattern, name, wanted] of [
  ["abc", "abc", true],
  ["*", "abc", true],
  ["*c", "abc", true],
  ["a*", "ab", true],
  ["a*b?c*x", "abxbbxdbxebxczzx", true],
  ["a*b?c*x", "abxbbxdbxebxczzy", false],
  ["ab[c]", "abc", true],
  ["ab[b-d]", "abc", true],
  ["ab[e-g]", "abc", false],
  ["ab[^c]", "abc", false],
  ["ab[^e-g]", "abc", true],
  ["a\\*b", "a*b", true],
  ["a\\*b", "ab", false],
  ["a?b", "a☺b", true],
  ["[\\-x]", "-", true],
  ["[\\]a]", "]", true],
  ["*.txt", ".txt", true],
] as const) {
  test(`${pattern} ${wanted ? "matches" : "does not match"} ${name}`, () => {
    expect(namePattern(pattern).matches(name)).toBe(wanted);
  });
}

test("a path pattern leads nowhere above its root", () => {
  const names = pathPattern("/../a/./b/../../c").map((pattern) => pattern.literal);
  expect(names).toEqual(["c"]);
});

test("nothing but a GantryError comes of a pattern, whatever it is, and a plain name matches itself", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      try {
        const pattern = namePattern(text);
        if (pattern.literal !== undefined) expect(pattern.matches(text)).toBe(true);
        else pattern.matches("abc");
      } catch (error) {
        expect(error).toBeInstanceOf(GantryError);
      }
    }),
  );
});
