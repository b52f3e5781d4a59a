import { readFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import { plain, run, text } from "./command.ts";
import type { Machine } from "./contract.ts";
import { median } from "./statistics.ts";

const root = join(import.meta.dir, "..");

export type Facts = Omit<Machine, "loadAfter">;

export async function machineFacts(): Promise<Facts> {
  const loadBefore = loadavg();
  const processors = cpus();
  const changed = (await text("git", "-C", root, "status", "--porcelain", "--", "src", "bin", "bench")) !== "";
  return {
    commit: `${await text("git", "-C", root, "rev-parse", "--short=12", "HEAD")}${changed ? " and uncommitted changes" : ""}`,
    date: new Date().toISOString(),
    cores: processors.length,
    processor: processors[0]?.model ?? "unknown",
    memoryMegabytes: Math.round(totalmem() / 2 ** 20),
    kernel: await text("uname", "-r"),
    system: /^PRETTY_NAME="(.*)"$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "unknown",
    versions: await versions(),
    loadBefore,
    yardstick: await yardstick(),
  };
}

export function withLoadAfter(facts: Facts): Machine {
  return { ...facts, loadAfter: loadavg() };
}

async function versions(): Promise<Record<string, string>> {
  const packages = [
    "docker.io",
    "containerd",
    "runc",
    "podman",
    "buildah",
    "netavark",
    "crun",
    "conmon",
    "skopeo",
    "docker-registry",
    "tar",
  ];
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a placeholder of dpkg-query
  const lines = await text("dpkg-query", "-W", "-f", "${Package} ${Version}\n", ...packages);
  return {
    bun: Bun.version,
    ...Object.fromEntries(lines.split("\n").map((line) => line.split(" ") as [string, string])),
  };
}

async function yardstick(): Promise<number> {
  const samples: number[] = [];
  for (let i = 0; i < 21; i++) samples.push((await run(plain(process.execPath, "-e", "0"))).milliseconds);
  return median(samples.slice(1));
}
