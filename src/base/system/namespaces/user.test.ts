import { expect, test } from "bun:test";
import { isConfined } from "./user.ts";

test("the machine's own map of ids is told from a user namespace's", () => {
  expect(isConfined("         0          0 4294967295\n")).toBe(false);
  expect(isConfined("         0       1001          1\n         1     100000      65536\n")).toBe(true);
  expect(isConfined("         0     100000      65536\n")).toBe(true);
});
