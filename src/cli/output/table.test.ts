import { expect, test } from "bun:test";
import { table } from "./table.ts";

test("columns are as wide as their widest cell, three spaces apart, without blanks at the end", () => {
  expect(
    table(
      ["NAME", "TAG"],
      [
        ["busybox", "1"],
        ["a", ""],
      ],
    ),
  ).toBe("NAME      TAG\nbusybox   1\na\n");
});

test("wide letters and missing cells keep the columns in line", () => {
  expect(table(["A", "B"], [["漢字", "x"], ["b"]])).toBe("A      B\n漢字   x\nb\n");
});

test("a table of nothing is its titles", () => {
  expect(table(["A", "B"], [])).toBe("A   B\n");
});
