import { readFileSync } from "node:fs";
import { arch, cpus, hostname, release, totalmem } from "node:os";
import type { Engine, EngineEvent } from "#engine/contract.ts";
import { apiVersion, type EventMessage, minApiVersion } from "#formats/docker/contract.ts";
import type { AuthConfig } from "#formats/docker/image.ts";
import type { InfoAnswer, VersionAnswer } from "#formats/docker/system.ts";
import { filters, onlyFilters } from "../call.ts";
import type { Call, Route } from "../contract.ts";
import { hasLabel } from "../labels.ts";
import { moment } from "../moment.ts";

const architecture: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

export function systemRoutes(engine: Engine): Route[] {
  const ping: Route["handle"] = () => ({
    status: 200,
    headers: { "Cache-Control": "no-cache, no-store, must-revalidate", Pragma: "no-cache", "Builder-Version": "1" },
    text: "OK",
  });
  return [
    { method: "GET", path: "/_ping", handle: ping },
    {
      method: "HEAD",
      path: "/_ping",
      handle: () => ({ status: 200, headers: { "Builder-Version": "1", "Content-Type": "text/plain; charset=utf-8" } }),
    },
    { method: "GET", path: "/version", handle: () => ({ status: 200, json: version(engine) }) },
    { method: "GET", path: "/info", handle: () => ({ status: 200, json: info(engine) }) },
    { method: "GET", path: "/events", handle: (call) => events(engine, call) },
    { method: "GET", path: "/system/df", handle: () => ({ status: 200, json: diskUsage(engine) }) },
    {
      method: "POST",
      path: "/auth",
      handle: async (call) => {
        const { status } = await engine.images.login(await call.json<AuthConfig>(), call.signal);
        return { status: 200, json: { Status: status, IdentityToken: "" } };
      },
    },
  ];
}

function version(engine: Engine): VersionAnswer {
  return {
    Platform: { Name: "Gantry" },
    Components: [
      {
        Name: "Engine",
        Version: engine.facts.version,
        Details: {
          ApiVersion: apiVersion,
          MinAPIVersion: minApiVersion,
          Bun: Bun.version,
          GitCommit: engine.facts.commit,
        },
      },
    ],
    Version: engine.facts.version,
    ApiVersion: apiVersion,
    MinAPIVersion: minApiVersion,
    GitCommit: engine.facts.commit,
    GoVersion: `bun${Bun.version}`,
    Os: "linux",
    Arch: architecture[arch()] ?? arch(),
    KernelVersion: release(),
    BuildTime: "",
  };
}

function osName(): string {
  const match = /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(readFileSync("/etc/os-release", "utf8"));
  return match?.[1] ?? "Linux";
}

function info(engine: Engine): InfoAnswer {
  const containers = engine.containers.list();
  const count = (status: string) => containers.filter((item) => item.state.status === status).length;
  const usage = engine.store.usage();
  return {
    ID: engine.facts.id,
    Containers: containers.length,
    ContainersRunning: count("running"),
    ContainersPaused: count("paused"),
    ContainersStopped: count("exited") + count("created"),
    Images: usage.images.count,
    Driver: "overlay2",
    DriverStatus: [["Backing", "gantry layers"]],
    CgroupDriver: engine.facts.cgroups ? "cgroupfs" : "none",
    CgroupVersion: "1",
    KernelVersion: release(),
    OperatingSystem: osName(),
    OSType: "linux",
    Architecture: arch() === "x64" ? "x86_64" : "aarch64",
    NCPU: cpus().length,
    MemTotal: totalmem(),
    DockerRootDir: engine.facts.dataRoot,
    Name: hostname(),
    ServerVersion: engine.facts.version,
    LoggingDriver: "json-file",
    DefaultRuntime: "crun",
    Runtimes: { crun: { path: "crun" } },
    SecurityOptions: ["name=seccomp,profile=builtin", ...(engine.facts.rootless ? ["name=rootless"] : [])],
    Warnings: engine.facts.cgroups ? null : ["No cgroups: limits, pause and stats are refused"],
    Plugins: { Volume: ["local"], Network: ["bridge", "host", "null"], Log: ["json-file"] },
    Swarm: { LocalNodeState: "inactive" },
    IndexServerAddress: "https://index.docker.io/v1/",
    EnginePid: engine.facts.pid,
    DataRoot: engine.facts.dataRoot,
    Socket: engine.facts.socket,
  };
}

function diskUsage(engine: Engine): object {
  const usage = engine.store.usage();
  return {
    LayersSize: usage.blobs.bytes,
    Images: engine.store.images.list().map((record) => ({ Id: record.id, RepoTags: record.names, Containers: -1 })),
    Containers: engine.containers.list().map((record) => ({ Id: record.id, Names: [`/${record.name}`] })),
    Volumes: engine.volumes.list().map((volume) => ({ Name: volume.name, Driver: "local", Mountpoint: volume.path })),
    BuildCache: [],
  };
}

/** JSON takes any number of digits, a JavaScript number only 15 of these 19. */
function exactNumber(value: bigint): number {
  return (JSON as unknown as { rawJSON(text: string): number }).rawJSON(value.toString());
}

export function eventMessage(event: EngineEvent): EventMessage {
  return {
    Type: event.type,
    Action: event.action,
    Actor: { ID: event.id, Attributes: event.attributes },
    scope: "local",
    time: Number(event.timeNano / 1_000_000_000n),
    timeNano: exactNumber(event.timeNano),
  };
}

/** A moment of the query in milliseconds. "until=0" is none, "since=0" is the beginning. Error "invalid". */
export function instant(call: Call, name: "since" | "until"): number | undefined {
  const text = call.query.get(name);
  if (text === null || text === "" || (text === "0" && name === "until")) return undefined;
  return moment(text, `read the query's ${name}`);
}

function events(engine: Engine, call: Call): Awaited<ReturnType<Route["handle"]>> {
  const wanted = filters(call.query);
  onlyFilters("events", wanted, [
    "type",
    "event",
    "label",
    "container",
    "image",
    "network",
    "volume",
    "daemon",
    "scope",
  ]);
  const since = instant(call, "since");
  const until = instant(call, "until");
  const matches = (message: EventMessage): boolean =>
    [...wanted].every(([name, values]) => {
      if (name === "type") return values.includes(message.Type);
      if (name === "event")
        return values.some((value) => message.Action === value || message.Action.startsWith(`${value}:`));
      if (name === "label") {
        return values.every((value) => hasLabel(message.Actor.Attributes, value));
      }
      const isType = ["container", "image", "network", "volume"].includes(name);
      if (!isType) return true;
      const { ID, Attributes } = message.Actor;
      return message.Type === name && values.some((value) => ID.startsWith(value) || Attributes.name === value);
    });
  return {
    status: 200,
    headers: { "Content-Type": "application/json" },
    stream: async (out) => {
      const options = {
        ...(since === undefined ? {} : { since }),
        ...(until === undefined ? {} : { until }),
        signal: call.signal,
      };
      for await (const event of engine.events.read(options)) {
        const message = eventMessage(event);
        if (matches(message)) await out.write(`${JSON.stringify(message)}\n`);
      }
    },
  };
}
