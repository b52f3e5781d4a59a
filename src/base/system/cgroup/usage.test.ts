import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseMountTable } from "#base/system/mounts/table.ts";
import { cgroupLayout } from "./layout.ts";
import { readCgroup, usageOfV2 } from "./usage.ts";

const tree = join(import.meta.dir, "testdata/v2");

test("a recorded cgroup v2 group is read in the same terms as v1", () => {
  const usage = usageOfV2((_controller, file) => readFileSync(join(tree, file), "utf8"));
  expect(usage).toEqual({
    version: "v2",
    cpu: {
      totalNs: 1_234_567_000,
      userNs: 1_000_000_000,
      systemNs: 234_567_000,
      perCpuNs: [],
      periods: 9,
      throttledPeriods: 4,
      throttledNs: 56_000_000,
    },
    memory: {
      usage: 8_388_608,
      maximum: 16_777_216,
      limit: 67_108_864,
      stat: { anon: 4_194_304, file: 2_097_152, inactive_file: 1_048_576 },
      failures: 2,
    },
    pids: { current: 3 },
    blockIo: [
      { major: 254, minor: 0, op: "read", bytes: 4096, count: 1 },
      { major: 254, minor: 0, op: "write", bytes: 8192, count: 2 },
    ],
  });
});

test("this process's own groups are read, and no process gives zeros", () => {
  expect(readCgroup(process.pid).pids.current).toBeGreaterThanOrEqual(0);
  expect(readCgroup(undefined).memory.usage).toBe(0);
});

test("hosts are told apart: v1, hybrid, v2 and none", () => {
  const line = (type: string, at: string, options: string) => `1 1 0:1 / ${at} rw - ${type} x rw,${options}\n`;
  const v1 =
    line("cgroup", "/sys/fs/cgroup/memory", "memory") + line("cgroup", "/sys/fs/cgroup/cpu,cpuacct", "cpu,cpuacct");
  const v2 = line("cgroup2", "/sys/fs/cgroup/unified", "nsdelegate");
  const layout = (text: string) => cgroupLayout(parseMountTable(text));
  expect(layout(v1).version).toBe("v1");
  expect(layout(v1 + v2)).toMatchObject({ version: "hybrid", unified: "/sys/fs/cgroup/unified" });
  expect(layout(v2)).toEqual({ version: "v2", root: "/sys/fs/cgroup/unified" });
  expect(layout("").version).toBe("none");
  const both = layout(v1);
  expect(both.version === "v1" && both.controllers.get("cpuacct")).toBe("/sys/fs/cgroup/cpu,cpuacct");
});
