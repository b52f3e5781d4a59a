import { expect, test } from "bun:test";
import { checkImports, refusal } from "./check.ts";

test("a room may import from a floor above it", () => {
  expect(refusal("images/store/store.ts", "formats/oci/digest.ts")).toBeUndefined();
});

test("a room may not import from a floor below it, nor from a later room of its own floor", () => {
  expect(refusal("formats/oci/digest.ts", "images/store/store.ts")).toContain("stands above");
  expect(refusal("images/store/store.ts", "images/archive/load.ts")).toContain("stands above");
});

test("what runs in the user's process reaches the engine only through its API", () => {
  expect(refusal("cli/run.ts", "engine/engine.ts")).toContain("go through client/");
  expect(refusal("cli/run.ts", "base/system/files/xattr.ts")).toContain("go through client/");
  expect(refusal("cli/run.ts", "formats/oci/digest.ts")).toBeUndefined();
});

test("a folder that is no room is refused", () => {
  expect(refusal("utils/strings.ts", "base/core/errors.ts")).toContain("stands in no room");
});

test("the tree keeps to the rules", async () => {
  const { modules, problems } = await checkImports();
  expect(modules).toBeGreaterThan(5);
  expect(problems).toEqual([]);
});
