import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { readCgroup } from "#base/system/cgroup/usage.ts";
import type { ContainerRecord, Stats } from "./contract.ts";

/** One reading; all zero for a container that does not run. */
export function readStats(record: ContainerRecord, now: number): Stats {
  const { state } = record;
  const running = state.status === "running" || state.status === "paused";
  const group = readCgroup(running ? state.pid : undefined);
  return {
    readAt: now,
    running,
    version: group.version,
    cpu: { ...group.cpu, hostNs: hostCpuNs(), online: cpus().length },
    memory: group.memory,
    pids: group.pids,
    blockIo: group.blockIo,
    networks: running ? readNetworks(state.pid) : {},
  };
}

/** All processor time of the machine, for the percentage (proc_stat(5): 100 ticks a second). */
function hostCpuNs(): number {
  const line = readFileSync("/proc/stat", "utf8").split("\n", 1)[0] ?? "";
  const ticks = line.split(/\s+/).slice(1, 9).map(Number);
  return ticks.reduce((sum, value) => sum + value, 0) * 10_000_000;
}

function readNetworks(pid: number): Stats["networks"] {
  try {
    const lines = readFileSync(`/proc/${pid}/net/dev`, "utf8").split("\n").slice(2);
    const rows = lines.flatMap((line) => {
      const [name, rest] = line.split(":");
      if (rest === undefined || name === undefined || name.trim() === "lo") return [];
      const n = rest.trim().split(/\s+/).map(Number);
      const [rxBytes = 0, rxPackets = 0, rxErrors = 0, rxDropped = 0] = n;
      const [txBytes = 0, txPackets = 0, txErrors = 0, txDropped = 0] = n.slice(8);
      return [
        [name.trim(), { rxBytes, rxPackets, rxErrors, rxDropped, txBytes, txPackets, txErrors, txDropped }] as const,
      ];
    });
    return Object.fromEntries(rows);
  } catch {
    return {};
  }
}
