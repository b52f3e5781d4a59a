import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DockerfileParser } from "dockerfile-ast";
import fc from "fast-check";
import { GantryError } from "#base/core/errors.ts";
import { instructionNames } from "./instructions.ts";
import { parseDockerfile } from "./parse.ts";
import { printDockerfile } from "./print.ts";

const data = join(import.meta.dir, "testdata");
// GOLDEN=write renews the results; the diff is then reviewed like code.
const renew = process.env.GOLDEN === "write";

function golden(file: string, got: string): void {
  if (renew) writeFileSync(file, got);
  expect(got).toBe(readFileSync(file, "utf8"));
}

const inputs = (folder: string) => readdirSync(join(data, folder)).filter((name) => name.endsWith(".Dockerfile"));

/** One line a node, so that a golden result is readable and a change of one place is a change of one line. */
function show(value: unknown, indent = ""): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if ("start" in value && "end" in value) {
    const { start, end } = value as { start: { line: number; column: number }; end: { line: number; column: number } };
    return `${start.line}:${start.column}-${end.line}:${end.column}`;
  }
  const entries = Object.entries(value).filter(([key]) => key !== "lines");
  if (entries.length === 0) return Array.isArray(value) ? "[]" : "{}";
  return entries.map(([key, item]) => `\n${indent}${key}: ${show(item, `${indent}  `)}`).join("");
}

function failure(bytes: Uint8Array | string): GantryError {
  try {
    parseDockerfile(bytes, "Dockerfile");
  } catch (error) {
    if (error instanceof GantryError) return error;
    throw error;
  }
  throw new Error("it was read without an error");
}

/** The tree without places and file lines. */
function withoutPlaces(text: string): unknown {
  const tree = parseDockerfile(text, "Dockerfile");
  return JSON.parse(JSON.stringify({ ...tree, lines: [] }, (key, value) => (key === "range" ? undefined : value)));
}

describe("parseDockerfile() on the golden folder", () => {
  for (const name of inputs("good")) {
    test(`${name} gives the recorded tree, and its print reads back as the same tree`, () => {
      const text = readFileSync(join(data, "good", name), "utf8");
      const tree = parseDockerfile(text, name);
      golden(join(data, "good", `${name}.result`), `${show(tree)}\n`);
      expect(withoutPlaces(printDockerfile(tree))).toEqual(withoutPlaces(text));
    });
  }
  for (const name of inputs("negatives")) {
    test(`${name} is refused with the recorded words`, () => {
      const error = failure(readFileSync(join(data, "negatives", name)));
      expect(error.kind).toBe("invalid");
      golden(join(data, "negatives", `${name}.result`), `${error.message}\n`);
    });
  }
});

// BuildKit reads these as we do: names of heredocs with blanks or before a pipe, two escapes at a line's end.
const unlikeTheOracle = "unlike-the-oracle.Dockerfile";

describe("parseDockerfile() against dockerfile-ast", () => {
  for (const name of inputs("good").filter((file) => file !== unlikeTheOracle)) {
    test(`${name}: the same instructions on the same lines`, () => {
      const text = readFileSync(join(data, "good", name), "utf8");
      const oracle = DockerfileParser.parse(text);
      const theirs = oracle.getInstructions().map((item) => `${item.getRange().start.line + 1} ${item.getKeyword()}`);
      const tree = parseDockerfile(text, name);
      const ours = [...tree.globals, ...tree.stages.flatMap((stage) => [stage.from, ...stage.instructions])];
      expect(ours.map((item) => `${item.range.start.line} ${item.kind}`)).toEqual(theirs);
    });
  }
});

describe("parseDockerfile() on anything", () => {
  const piece = fc.oneof(
    fc.constantFrom(...instructionNames, "FROM scratch", "<<EOF", "EOF", "\\", "`", "\n", "\r\n", " ", "\t", "#", '"'),
    fc.constantFrom("'", "$", "${", "}", ":-", "--from=", "--mount=type=", "[", "]", ",", "=", "AS", "# escape=`\n"),
    fc.string({ maxLength: 6, unit: "binary" }),
  );
  const anything = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));

  test("never throws anything but an invalid GantryError", () => {
    fc.assert(
      fc.property(anything, (text) => {
        try {
          parseDockerfile(text, "Dockerfile");
        } catch (error) {
          expect(error).toBeInstanceOf(GantryError);
          expect((error as GantryError).kind).toBe("invalid");
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("what it reads, its print reads back as the same", () => {
    fc.assert(
      fc.property(anything, (text) => {
        let before: unknown;
        try {
          before = withoutPlaces(`FROM scratch\n${text}`);
        } catch {
          return;
        }
        const printed = printDockerfile(parseDockerfile(`FROM scratch\n${text}`, "Dockerfile"));
        expect(withoutPlaces(printed)).toEqual(before);
      }),
      { numRuns: 2000 },
    );
  });

  test("a line of 10 MB and 10,000 stages are read in seconds, not refused and not fatal", () => {
    const long = parseDockerfile(`FROM scratch\nRUN ${"x".repeat(10_000_000)}\n`, "Dockerfile");
    expect(long.stages[0]?.instructions).toHaveLength(1);
    const many = Array.from({ length: 10_000 }, (_, index) => `FROM scratch AS s${index}\n`).join("");
    expect(parseDockerfile(many, "Dockerfile").stages).toHaveLength(10_000);
  });

  test("an unknown word of 10 MB is refused in one short message", () => {
    expect(failure("X".repeat(10_000_000)).message.length).toBeLessThan(600);
  });
});

test("a lone continuation sign starts nothing", () => {
  const tree = parseDockerfile("FROM scratch\n\\\n  RUN x\n", "Dockerfile");
  expect(tree.stages[0]?.instructions[0]).toMatchObject({ kind: "RUN", text: "RUN x", range: { start: { line: 3 } } });
});

describe("errors", () => {
  test("name line, column, the source line with a caret, and the nearest instruction", () => {
    expect(failure("FROM scratch\n\n  WORKDRI /x\n").message).toMatchInlineSnapshot(`
      "Cannot read the Dockerfile "Dockerfile": line 3, column 3: unknown instruction WORKDRI; did you mean WORKDIR?
      3 |   WORKDRI /x
            ^"
    `);
  });
  test("place a flag of a continued line on its own line", () => {
    const error = failure("FROM scratch\nCOPY \\\n  --frm=x a b\n");
    expect(error.parts.details).toMatchObject({ line: 3, column: 3, nearest: "--from" });
  });
});
