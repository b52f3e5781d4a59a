import { expect, test } from "bun:test";
import { span } from "./span.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

test("spans are docker's words, each border on its side", () => {
  const spans = [0, 1000, 59_999, minute, 2 * minute, 59 * minute, hour, 89 * minute, 90 * minute, 47 * hour, 2 * day];
  expect(spans.map(span)).toEqual([
    "Less than a second",
    "1 second",
    "59 seconds",
    "About a minute",
    "2 minutes",
    "59 minutes",
    "About an hour",
    "About an hour",
    "2 hours",
    "47 hours",
    "2 days",
  ]);
  expect([13 * day, 14 * day, 59 * day, 60 * day, 729 * day, 730 * day].map(span)).toEqual([
    "13 days",
    "2 weeks",
    "8 weeks",
    "2 months",
    "24 months",
    "2 years",
  ]);
});

test("a clock that ran ahead is no negative span", () => {
  expect(span(-5000)).toBe("Less than a second");
});
