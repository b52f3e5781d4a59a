import { describe, expect, test } from "bun:test";
import { parseIgnore } from "./ignore.ts";

describe("parseIgnore()", () => {
  test("a pattern is anchored at the context's root, unlike in a gitignore", () => {
    const rules = parseIgnore("*.md\n");
    expect(rules.ignores("a.md")).toBe(true);
    expect(rules.ignores("sub/a.md")).toBe(false);
  });
  test("** crosses folders, a folder takes all that is below, ! lets in again, the last match counts", () => {
    const rules = parseIgnore("# comment\n**/*.o\n/build/\n!build/keep\n\n");
    expect(rules.ignores("x/y.o")).toBe(true);
    expect(rules.ignores("y.o")).toBe(true);
    expect(rules.ignores("build/a/b")).toBe(true);
    expect(rules.ignores("build/keep")).toBe(false);
    expect(rules.ignores("src")).toBe(false);
  });
  test("an ignored folder is pruned unless an exception may reach into it", () => {
    const rules = parseIgnore("node_modules\nout\n!out/site/**\n");
    expect(rules.prunes("node_modules")).toBe(true);
    expect(rules.prunes("out")).toBe(false);
    expect(rules.prunes("out/logs")).toBe(true);
    expect(rules.prunes("src")).toBe(false);
  });
  test("an exception that begins with a wildcard forbids pruning", () => {
    expect(parseIgnore("out\n!**/*.txt\n").prunes("out")).toBe(false);
  });
  test("nothing is ignored without a file, or by one with blank lines only", () => {
    expect(parseIgnore(undefined).ignores("x")).toBe(false);
    expect(parseIgnore("\n  \n# x\n").ignores("x")).toBe(false);
  });
});
