import { expect, test } from "bun:test";
import { logOptionsOf } from "./log-options.ts";

const options = (Config: Record<string, string>) => logOptionsOf({ LogConfig: { Type: "json-file", Config } });

test("size and number of files are read as docker writes them", () => {
  expect(options({})).toEqual({});
  expect(options({ "max-size": "10m" })).toEqual({ logSizeMax: 10 * 2 ** 20 });
  expect(options({ "max-size": "512K", "max-file": "5", compress: "true" })).toEqual({
    logSizeMax: 512 * 1024,
    logFiles: 5,
  });
  expect(options({ "max-size": "900", tag: "x" })).toEqual({ logSizeMax: 900 });
});

test("what is no size, number or truth is refused by its name", () => {
  for (const [name, value] of [
    ["max-size", "big"],
    ["max-size", "0"],
    ["max-size", "-1"],
    ["max-file", "0"],
    ["max-file", "2.5"],
    ["max-file", "10000"],
    ["compress", "maybe"],
  ] as const) {
    expect(() => options({ [name]: value })).toThrow(`Cannot read the log option ${name} "${value}"`);
  }
  expect(() => options({ nope: "1" })).toThrow("max-size");
});
