import { expect, test } from "bun:test";
import type { HostConfig } from "#formats/docker/container.ts";
import { refuseNotServed } from "./refused.ts";

test("each setting that would not be kept is refused by its flag", () => {
  const asked: Readonly<Record<string, HostConfig>> = {
    "--userns": { UsernsMode: "keep-id" },
    "--pid": { PidMode: "host" },
    "--uts": { UTSMode: "host" },
    "--ipc": { IpcMode: "container:a" },
    "--oom-kill-disable": { OomKillDisable: true },
    "--memory-swappiness": { MemorySwappiness: 10 },
    "--runtime": { Runtime: "kata" },
    "--log-driver": { LogConfig: { Type: "syslog" } },
  };
  for (const [flag, host] of Object.entries(asked)) {
    expect(() => refuseNotServed(host)).toThrow(new RegExp(`does not serve ${flag} .*Leave ${flag} out`));
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
    MemorySwappiness: -1,
    Runtime: "",
    LogConfig: { Type: "", Config: {} },
  });
});
