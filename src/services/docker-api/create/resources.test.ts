import { expect, test } from "bun:test";
import { resourcesOf, securityOf, ulimitsOf } from "./resources.ts";

test("zero and absent are no limit", () => {
  expect(resourcesOf({})).toEqual({});
  expect(resourcesOf({ Memory: 0, NanoCpus: 0, PidsLimit: 0, CpuShares: 0, MemorySwap: 0 })).toEqual({});
  expect(resourcesOf({ PidsLimit: null })).toEqual({});
});

test("processors become a quota of a tenth of a second", () => {
  expect(resourcesOf({ NanoCpus: 500_000_000 })).toEqual({ cpuQuota: 50_000, cpuPeriod: 100_000 });
  expect(resourcesOf({ CpuQuota: 20_000, CpuPeriod: 50_000 })).toEqual({ cpuQuota: 20_000, cpuPeriod: 50_000 });
  expect(() => resourcesOf({ NanoCpus: 1, CpuQuota: 1 })).toThrow("cannot go together");
  for (const NanoCpus of [-1, 1e15]) expect(() => resourcesOf({ NanoCpus })).toThrow("this machine has");
});

test("swap without memory, or less of both than of one, is refused; unlimited swap is not", () => {
  expect(() => resourcesOf({ MemorySwap: 1 })).toThrow("there is no memory limit");
  expect(() => resourcesOf({ Memory: 2_000_000, MemorySwap: 1 })).toThrow("the memory alone is 2000000");
  expect(resourcesOf({ Memory: 2_000_000, MemorySwap: -1 })).toEqual({ memory: 2_000_000, memorySwap: -1 });
  expect(resourcesOf({ Memory: 2_000_000, MemorySwap: 2_000_000 })).toEqual({
    memory: 2_000_000,
    memorySwap: 2_000_000,
  });
  expect(() => resourcesOf({ Memory: 1 })).toThrow("the least is 524288 bytes");
});

test("ulimits keep both sides", () => {
  expect(ulimitsOf({ Ulimits: [{ Name: "nofile", Soft: 1, Hard: -1 }] })).toEqual([
    { name: "nofile", soft: 1, hard: -1 },
  ]);
});

test("security options are applied or refused, never dropped", () => {
  expect(securityOf({ SecurityOpt: ["no-new-privileges", "seccomp=unconfined"] })).toEqual({
    noNewPrivileges: true,
    seccomp: "unconfined",
  });
  expect(securityOf({ SecurityOpt: ["no-new-privileges:false"] })).toEqual({ noNewPrivileges: false });
  expect(securityOf({ SecurityOpt: ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}'] }).seccomp).toEqual({
    defaultAction: "SCMP_ACT_ALLOW",
  });
  for (const option of ["apparmor=profile", "label=type:x", "what", "systempaths=unconfined"]) {
    expect(() => securityOf({ SecurityOpt: [option] })).toThrow(expect.objectContaining({ kind: "unsupported" }));
  }
  for (const text of ["{", "[1]", "3"]) expect(() => securityOf({ SecurityOpt: [`seccomp=${text}`] })).toThrow("JSON");
});
