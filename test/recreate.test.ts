import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withPlugins } from "./support/clients.ts";
import { startEngine, type TestEngine } from "./support/engine.ts";

let engine: TestEngine;

beforeAll(async () => {
  engine = await startEngine();
  await engine.ok("network", "create", "--subnet", "10.97.0.0/24", "shop");
  await engine.ok("network", "create", "other");
  await withPlugins(engine, "compose");
});
afterAll(() => engine[Symbol.asyncDispose]());

const flags = [
  ["-e", 'A=it\'s $HOME "x"', "-e", "B=2", "-l", "team=a b", "-l", "x="],
  [
    "-p",
    "127.0.0.1:18099:80",
    "-p",
    "53/udp",
    "-v",
    "kept:/kept",
    "-v",
    "/etc/hostname:/name:ro",
    "--tmpfs",
    "/t:size=1m",
  ],
  [
    "--network",
    "name=shop,alias=web,ip=10.97.0.9",
    "--network",
    "other",
    "--dns",
    "192.0.2.1",
    "--add-host",
    "a:192.0.2.2",
  ],
  ["-m", "64m", "--pids-limit", "50", "--cpus", "0.5", "--cap-add", "NET_ADMIN", "--cap-drop", "MKNOD", "--read-only"],
  [
    "--ulimit",
    "nofile=100:200",
    "--sysctl",
    "net.core.somaxconn=99",
    "--init",
    "--restart",
    "on-failure:3",
    "--hostname",
    "box",
  ],
  [
    "--user",
    "1000:1000",
    "-w",
    "/home",
    "--stop-signal",
    "SIGINT",
    "--stop-timeout",
    "3",
    "--health-cmd",
    "test -e '/x y'",
  ],
  [
    "--health-interval",
    "1m30s",
    "--health-retries",
    "4",
    "--group-add",
    "50",
    "--shm-size",
    "8m",
    "--entrypoint",
    "sleep",
  ],
].flat();

/** What a recreated container has in common with its model: all but ids, times and what the kernel gave it. */
async function shape(name: string): Promise<unknown> {
  const [inspect] = JSON.parse(await engine.ok("inspect", name)) as [Record<string, never>];
  const { Config, HostConfig, Mounts, NetworkSettings } = inspect as unknown as Record<string, Record<string, unknown>>;
  const networks = NetworkSettings!.Networks as Record<string, Record<string, unknown>>;
  return {
    Config: { ...Config, AttachStdout: true, AttachStderr: true, AttachStdin: false },
    HostConfig,
    Mounts,
    networks: Object.fromEntries(
      Object.entries(networks).map(([key, { Aliases, IPAMConfig }]) => [key, { Aliases, IPAMConfig }]),
    ),
  };
}

test("the command that is printed makes the same container again", async () => {
  await engine.ok("create", "--name", "model", ...flags, "busybox", "1000");
  const before = await shape("model");
  const command = await engine.ok("recreate", "model");
  expect(command).toStartWith("gantry run ");
  await engine.ok("rm", "model");
  const words = command.replace(/^gantry run( -d)?/, `${join(import.meta.dir, "../bin/gantry")} create`);
  expect(await engine.client(["sh", "-c", words])).toMatchObject({ code: 0 });
  expect(await shape("model")).toEqual(before);
  await engine.ok("rm", "model");
});

test("a plain container is a plain command, without what its image says", async () => {
  await engine.ok("create", "--name", "plain", "busybox");
  expect(await engine.ok("recreate", "plain")).toBe("gantry run --name plain busybox");
  const words = ["--pid", "host", "--uts", "host", "--ipc", "host", "--log-driver", "none", "--cpuset-mems", "0"];
  await engine.ok("create", "--name", "near", "--device-cgroup-rule", "c 1:3 r", ...words, "busybox");
  const printed = await engine.ok("recreate", "near");
  for (const part of ["--pid host", "--uts host", "--ipc host", "--log-driver none", "--cpuset-mems 0"]) {
    expect(printed).toContain(part);
  }
  expect(printed).toContain("--device-cgroup-rule 'c 1:3 r'");
  await engine.ok("rm", "plain");
});

test("docker compose brings the compose file up with the same settings", async () => {
  await engine.ok("create", "--name", "model", ...flags, "busybox", "1000");
  const before = (await shape("model")) as { Config: { Env: string[]; Labels: Record<string, string> } };
  const text = await engine.ok("recreate", "--compose", "model");
  await engine.ok("rm", "model");
  const folder = join(engine.folder, "recreated");
  mkdirSync(folder);
  writeFileSync(join(folder, "compose.yaml"), text);
  const up = await engine.client([
    "docker",
    "compose",
    "-f",
    join(folder, "compose.yaml"),
    "create",
    "--pull",
    "never",
  ]);
  expect(up).toMatchObject({ code: 0 });
  const after = (await shape("model")) as typeof before & { HostConfig: object };
  expect(after.Config.Env).toEqual(expect.arrayContaining(before.Config.Env));
  expect(after.Config.Labels).toMatchObject(before.Config.Labels);
  expect(after.HostConfig).toMatchObject({
    Memory: 64 * 1024 ** 2,
    PidsLimit: 50,
    NanoCpus: 5e8,
    ReadonlyRootfs: true,
    RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 },
  });
  await engine.ok("rm", "-f", "model");
});
