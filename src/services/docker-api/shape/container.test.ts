import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ContainerRecord, ContainerState } from "#containers/lifecycle/contract.ts";
import type { Networks } from "#containers/network/contract.ts";
import { inspect, statusLine, summary } from "./container.ts";

const now = 1_700_000_000_000;
const exit = { exitCode: 137, startedAt: now - 60_000, finishedAt: now - 5000, oomKilled: true };

function record(state: ContainerState, more: Partial<ContainerRecord> = {}): ContainerRecord {
  return {
    id: "a".repeat(64),
    name: "web",
    created: now - 60_500,
    image: `sha256:${"b".repeat(64)}`,
    sandbox: { network: { kind: "bridge" } },
    config: { process: { args: ["sh", "-c", "x"] } } as ContainerRecord["config"],
    request: {
      image: "busybox",
      config: {
        Entrypoint: ["sh"],
        Cmd: ["-c", "x"],
        ExposedPorts: { "80/tcp": {}, "81/tcp": {} },
        Labels: { a: "1" },
      },
      host: {},
      mounts: [],
    },
    state,
    volumes: [],
    ...more,
  };
}

const running = record(
  { status: "running", pid: 42, startedAt: now - 120_000 },
  {
    network: {
      namespace: "/run/ns",
      ports: [{ protocol: "tcp", containerPort: 80, hostAddress: "127.0.0.1", hostPort: 8080 }],
      endpoints: [
        {
          network: "c".repeat(64),
          id: "d".repeat(64),
          interface: "eth0",
          address: "172.30.0.2",
          prefixLength: 16,
          gateway: "172.30.0.1",
          mac: "02:00:00:00:00:01",
          hostInterface: "gv1",
          aliases: [],
          gatewayPriority: 0,
        },
      ],
    },
  },
);
const networks = { get: () => ({ id: "c".repeat(64) }) } as unknown as Networks;
const places = { runFolder: "/run/c", logPath: "/data/c/log" };

test("each state has docker's words", () => {
  const states: ContainerState[] = [
    { status: "created" },
    { status: "running", pid: 1, startedAt: now - 120_000 },
    { status: "paused", pid: 1, startedAt: now - 120_000 },
    { status: "exited", ...exit },
    { status: "removing" },
  ];
  expect(states.map((state) => statusLine(record(state), now))).toEqual([
    "Created",
    "Up 2 minutes",
    "Up 2 minutes (Paused)",
    "Exited (137) 5 seconds ago",
    "Removal In Progress",
  ]);
});

test("a summary lists published ports once and exposed ones without a host's side", () => {
  const shown = summary(networks, running, now);
  expect(shown.Ports).toEqual([
    { IP: "127.0.0.1", PrivatePort: 80, PublicPort: 8080, Type: "tcp" },
    { PrivatePort: 81, Type: "tcp" },
  ]);
  expect(shown).toMatchObject({ Names: ["/web"], Command: "sh -c x", Created: 1_699_999_939, State: "running" });
  expect(shown).not.toHaveProperty("SizeRw");
  expect(summary(networks, running, now, { rw: 1, root: 2 })).toMatchObject({ SizeRw: 1, SizeRootFs: 2 });
});

test("inspect tells how it runs, and how it ended", () => {
  const up = inspect(networks, running, places, []);
  expect(up.State).toMatchObject({ Status: "running", Running: true, Pid: 42, ExitCode: 0 });
  expect(up.State.FinishedAt).toBe("0001-01-01T00:00:00Z");
  expect(up.NetworkSettings.Ports).toEqual({
    "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "8080" }],
    "81/tcp": null,
  });
  expect(up.NetworkSettings.Networks.bridge).toMatchObject({ IPAddress: "172.30.0.2", IPPrefixLen: 16 });
  const down = inspect(networks, record({ status: "exited", ...exit }), places, []);
  expect(down.State).toMatchObject({ Running: false, Pid: 0, ExitCode: 137, OOMKilled: true });
  expect(down.State.FinishedAt).toBe(new Date(exit.finishedAt).toISOString());
  const going = inspect(networks, record({ status: "removing", last: exit }), places, []);
  expect(going.State).toMatchObject({ Status: "removing", ExitCode: 137 });
});

test("one that shares another's network has none of its own", () => {
  const shared = record({ status: "created" }, { sandbox: { network: { kind: "container", id: "b" } } });
  expect(summary(networks, shared, now)).toMatchObject({
    HostConfig: { NetworkMode: "container:b" },
    NetworkSettings: { Networks: {} },
  });
});

const api = join(import.meta.dir, "../../../../../shared/reference/docker-engine-api-v1.51.yaml");

test.skipIf(!existsSync(api))(
  "every field of inspect and list is one of the Engine API (skipped without its text)",
  () => {
    const { definitions } = Bun.YAML.parse(readFileSync(api, "utf8")) as {
      definitions: Record<string, { properties: Record<string, unknown> }>;
    };
    const unknown = (value: object, name: string) =>
      Object.keys(value).filter((field) => !(field in definitions[name]!.properties));
    const up = inspect(networks, running, places, [], { rw: 1, root: 2 });
    expect(unknown(up, "ContainerInspectResponse")).toEqual([]);
    expect(unknown(up.State, "ContainerState")).toEqual([]);
    expect(unknown(up.Config, "ContainerConfig")).toEqual([]);
    expect(unknown(up.NetworkSettings, "NetworkSettings")).toEqual([]);
    expect(unknown(summary(networks, running, now, { rw: 1, root: 2 }), "ContainerSummary")).toEqual([]);
  },
);
