import { expect, test } from "bun:test";
import { hasLabel } from "./labels.ts";

test("a label is found by its name or by name and value, the value with = in it", () => {
  const labels = { stage: "", opts: "a=b=c" };
  expect(hasLabel(labels, "stage")).toBe(true);
  expect(hasLabel(labels, "stage=")).toBe(true);
  expect(hasLabel(labels, "opts=a=b=c")).toBe(true);
  expect(hasLabel(labels, "opts=a=b")).toBe(false);
  expect(hasLabel(labels, "none")).toBe(false);
});

test("JavaScript's own names are no labels", () => {
  expect(hasLabel({}, "constructor")).toBe(false);
  expect(hasLabel({}, "toString=x")).toBe(false);
});
