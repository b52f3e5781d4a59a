import { expect, test } from "bun:test";
import type { HostConfig } from "#formats/docker/container.ts";
import { refuseNotServed } from "./refused.ts";

test("each setting that would not be kept is refused by its flag", () => {
  const asked: Readonly<Record<string, HostConfig>> = {
    "--userns": { UsernsMode: "keep-id" },
    "--link": { Links: ["a:b"] },
    "--storage-opt": { StorageOpt: { size: "1G" } },
    "--cpu-rt-runtime": { CpuRealtimeRuntime: 1000 },
    "--volume-driver": { VolumeDriver: "nfs" },
    "--runtime": { Runtime: "kata" },
    "--log-driver": { LogConfig: { Type: "syslog" } },
  };
  for (const [flag, host] of Object.entries(asked)) {
    expect(() => refuseNotServed(host)).toThrow(new RegExp(`does not serve ${flag} with that value yet. [A-Z]`));
  }
});

test("what docker's own client sends when nothing is asked for passes", () => {
  refuseNotServed({});
  refuseNotServed({
    RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
    VolumesFrom: null,
    UsernsMode: "",
    PidMode: "",
    UTSMode: "",
    IpcMode: "",
    OomKillDisable: false,
    Links: null,
    StorageOpt: null,
    CpuRealtimePeriod: 0,
    VolumeDriver: "",
    MemorySwappiness: -1,
    Runtime: "",
    LogConfig: { Type: "", Config: {} },
  });
});
