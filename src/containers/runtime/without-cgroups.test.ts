import { expect, test } from "bun:test";
import { refuseLimits } from "./without-cgroups.ts";

test("without cgroups every limit is refused by its name and value, and no limit is none", () => {
  refuseLimits({});
  refuseLimits({ pids: -1, memorySwap: -1, cpuShares: 0 });
  expect(() => refuseLimits({ memory: 1024 ** 2 })).toThrow('Cannot limit memory to "1048576"');
  expect(() => refuseLimits({ cpusetCpus: "0" })).toThrow('Cannot limit processors to "0"');
  expect(() => refuseLimits({ pids: 5 })).toThrow("a user's engine has none");
});
