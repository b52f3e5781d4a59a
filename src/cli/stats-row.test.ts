import { expect, test } from "bun:test";
import { binarySize, columns, cpuPercent, memoryUsage, type Reading } from "./stats-row.ts";

const reading: Reading = {
  cpu_stats: { cpu_usage: { total_usage: 3e9 }, system_cpu_usage: 20e9, online_cpus: 2 },
  precpu_stats: { cpu_usage: { total_usage: 2e9 }, system_cpu_usage: 18e9 },
  memory_stats: { usage: 20 << 20, limit: 1 << 30, stats: { total_inactive_file: 4 << 20 } },
  pids_stats: { current: 3 },
  blkio_stats: {
    io_service_bytes_recursive: [
      { op: "Read", value: 1500 },
      { op: "write", value: 500 },
      { op: "Total", value: 2000 },
    ],
  },
  networks: { eth0: { rx_bytes: 1000, tx_bytes: 2 }, eth1: { rx_bytes: 500, tx_bytes: 0 } },
};

test("a reading is shown in docker's columns and units", () => {
  const row = { id: "0123456789abcdef", name: "web", asked: "web", running: true, reading };
  const cells = Object.fromEntries(columns(true).map(({ field, cell }) => [field, cell(row)]));
  expect(cells).toEqual({
    ID: "0123456789ab",
    Name: "web",
    CPUPerc: "100.00%",
    MemUsage: "16MiB / 1GiB",
    MemPerc: "1.56%",
    NetIO: "1.5kB / 2B",
    BlockIO: "1.5kB / 500B",
    PIDs: "3",
    Container: "web",
  });
});

test("without an earlier reading the processor's share is nought; without any, dashes stand", () => {
  expect(cpuPercent({ ...reading, precpu_stats: { cpu_usage: { total_usage: 0 } } })).toBe(0);
  const row = { id: "a", name: "a", asked: "a", running: false, reading: undefined };
  expect(columns(true).map(({ cell }) => cell(row))).toContain("-- / --");
});

test("cache the kernel gives back is not counted, in either cgroup version", () => {
  const usage = (stats: Record<string, number>) => memoryUsage({ ...reading, memory_stats: { usage: 100, stats } });
  expect([usage({ total_inactive_file: 40 }), usage({ inactive_file: 30 }), usage({})]).toEqual([60, 70, 100]);
  expect([binarySize(1023), binarySize(1536), binarySize(5 << 20)]).toEqual(["1023B", "1.5KiB", "5MiB"]);
});
