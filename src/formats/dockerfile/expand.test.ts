import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { ExpansionError, expandHeredoc, expandWord, expandWords } from "./expand.ts";

const values: Readonly<Record<string, string>> = {
  A: "one",
  EMPTY: "",
  PATH: "/usr/bin:/bin",
  FILE: "archive.tar.gz",
  SPACED: "x  y",
  STAR: "a*b",
};
const lookup = (name: string) => values[name];
const expand = (text: string) => expandWord(text, lookup, "\\");

describe("expandWord()", () => {
  const words = readFileSync(join(import.meta.dir, "testdata", "words.txt"), "utf8");
  for (const row of words.split("\n").filter((line) => line !== "" && !line.startsWith("#"))) {
    const [input, output] = row.split(/ \| ?/) as [string, string];
    test(`${input} gives ${output}`, () => {
      if (output.startsWith("error: ")) expect(() => expand(input)).toThrow(output.slice("error: ".length));
      else expect(expand(input)).toBe(output);
    });
  }

  test("with escape ` a backslash is only a backslash", () => {
    expect(expandWord("C:\\dir`$A", lookup, "`")).toBe("C:\\dir$A");
  });

  test("never throws anything but an ExpansionError, whatever the text", () => {
    const piece = fc.constantFrom(
      "$",
      "{",
      "}",
      "${A",
      ":-",
      "#",
      "%",
      "/",
      "'",
      '"',
      "\\",
      "A",
      " ",
      "*",
      "(",
      "[",
      "+",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        try {
          expand(pieces.join(""));
        } catch (error) {
          expect(error).toBeInstanceOf(ExpansionError);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test("text without signs comes back as it is", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const plain = text.replaceAll(/[$'"\\]/g, "");
        expect(expand(plain)).toBe(plain);
      }),
    );
  });

  test("nesting without end is refused", () => {
    expect(() => expand("${NONE:-".repeat(5000))).toThrow("nested more than 100 deep");
  });
});

describe("expandWords()", () => {
  test("blanks in a value separate words, blanks in quotes do not", () => {
    expect(expandWords('a $SPACED "$SPACED" b\\ c', lookup, "\\")).toEqual(["a", "x", "y", "x  y", "b c"]);
  });
});

describe("expandHeredoc()", () => {
  test("variables are expanded, quotes stay, only \\$ and \\\\ are escapes", () => {
    expect(expandHeredoc('say "$A" \\$A it\'s \\n \\\\', lookup, "\\")).toBe('say "one" $A it\'s \\n \\');
  });
});
