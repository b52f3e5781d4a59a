import { expect, test } from "bun:test";
import { timestamp } from "./time.ts";

test("a moment is RFC 3339 in UTC", () => {
  expect(timestamp(1_700_000_000_123)).toBe("2023-11-14T22:13:20.123Z");
});
