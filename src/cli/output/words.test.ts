import { expect, test } from "bun:test";
import { ago, shortId, size } from "./words.ts";

test("sizes are decimal with three digits", () => {
  expect([0, 999, 1000, 12_345_678, 999_600, 1_230_000_000].map(size)).toEqual([
    "0B",
    "999B",
    "1kB",
    "12.3MB",
    "1MB",
    "1.23GB",
  ]);
});

test("ids lose their algorithm and what is over twelve digits", () => {
  expect(shortId(`sha256:${"a".repeat(64)}`)).toBe("a".repeat(12));
  expect(shortId("0123456789abcdef")).toBe("0123456789ab");
});

test("times ago are docker's words, and a clock that ran ahead is now", () => {
  const now = 2_000_000_000_000;
  const words = (seconds: number) => ago(now / 1000 - seconds, now);
  expect([-5, 0, 1, 59, 60, 130, 3600, 7200, 172_800, 13 * 86_400, 15 * 86_400, 800 * 86_400].map(words)).toEqual([
    "Less than a second ago",
    "Less than a second ago",
    "1 second ago",
    "59 seconds ago",
    "About a minute ago",
    "2 minutes ago",
    "About an hour ago",
    "2 hours ago",
    "2 days ago",
    "13 days ago",
    "2 weeks ago",
    "2 years ago",
  ]);
});
