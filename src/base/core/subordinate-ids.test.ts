import { expect, test } from "bun:test";
import { subordinateIds } from "./subordinate-ids.ts";

test("ranges are counted by name and by number, and others' are not", () => {
  const text = "ann:100000:65536\nbob:165536:65536\n1001:300000:1000\n\n# ann:1:1\n";
  expect(subordinateIds(text, "ann", 1001)).toBe(66_536);
  expect(subordinateIds(text, "cid", 1003)).toBe(0);
});
