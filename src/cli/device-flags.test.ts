import { expect, test } from "bun:test";
import { type DeviceFlags, deviceConfig } from "./device-flags.ts";

const none: DeviceFlags & { device: readonly string[] } = {
  device: [],
  deviceReadBps: [],
  deviceWriteBps: [],
  deviceReadIops: [],
  deviceWriteIops: [],
  deviceCgroupRule: [],
};

test("flags of namespaces, throughput and devices are what Docker's client sends", () => {
  expect(deviceConfig(none)).toEqual({});
  const flags = { pid: "host", deviceReadBps: ["/dev/sda:1mb"], memorySwappiness: "0", gpus: "all" };
  expect(deviceConfig({ ...none, ...flags, device: ["/dev/null", "example.com/card=one"] })).toEqual({
    PidMode: "host",
    MemorySwappiness: 0,
    BlkioDeviceReadBps: [{ Path: "/dev/sda", Rate: 1048576 }],
    DeviceRequests: [
      { Count: -1, Capabilities: [["gpu"]] },
      { Driver: "cdi", DeviceIDs: ["example.com/card=one"] },
    ],
  });
});
