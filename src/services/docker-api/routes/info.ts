import { readFileSync } from "node:fs";
import { arch, cpus, hostname, release, totalmem } from "node:os";
import { cgroupLayout } from "#base/system/cgroup/layout.ts";
import type { Engine } from "#engine/contract.ts";
import { apiVersion, minApiVersion } from "#formats/docker/contract.ts";
import type { InfoAnswer, VersionAnswer } from "#formats/docker/system.ts";
import { limitsOfMachine } from "../machine-limits.ts";

const architecture: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

export function version(engine: Engine): VersionAnswer {
  const { version: own, commit } = engine.facts;
  return {
    Platform: { Name: "Gantry" },
    Components: [
      {
        Name: "Engine",
        Version: own,
        Details: {
          ApiVersion: apiVersion,
          MinAPIVersion: minApiVersion,
          Arch: architecture[arch()] ?? arch(),
          BuildTime: "",
          Bun: Bun.version,
          Experimental: "false",
          GitCommit: commit,
          KernelVersion: release(),
          Os: "linux",
        },
      },
    ],
    Version: own,
    ApiVersion: apiVersion,
    MinAPIVersion: minApiVersion,
    GitCommit: commit,
    GoVersion: `bun${Bun.version}`,
    Os: "linux",
    Arch: architecture[arch()] ?? arch(),
    KernelVersion: release(),
    BuildTime: "",
  };
}

/** NAME=value of /etc/os-release, quotation marks off. */
function osRelease(name: string): string {
  const text = readFileSync("/etc/os-release", "utf8");
  return new RegExp(`^${name}="?([^"\n]*)"?$`, "m").exec(text)?.[1] ?? "";
}

export function info(engine: Engine): InfoAnswer {
  const containers = engine.containers.list();
  const count = (status: string) => containers.filter((item) => item.state.status === status).length;
  const [running, paused] = [count("running") + count("restarting"), count("paused")];
  const usage = engine.store.usage();
  const noCommit = { ID: "", Expected: "" };
  return {
    ID: engine.facts.id,
    Containers: containers.length,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: containers.length - running - paused,
    Images: usage.images.count,
    Driver: "overlay2",
    DriverStatus: [["Backing", "gantry layers"]],
    ...limitsOfMachine(),
    IPv4Forwarding: readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8").trim() === "1",
    Debug: false,
    NFd: 0,
    NGoroutines: 0,
    NEventsListener: engine.events.listeners(),
    SystemTime: new Date().toISOString(),
    CgroupDriver: engine.facts.cgroups ? "cgroupfs" : "none",
    CgroupVersion: cgroupLayout().version === "v2" ? "2" : "1",
    KernelVersion: release(),
    OperatingSystem: osRelease("PRETTY_NAME") || "Linux",
    OSVersion: osRelease("VERSION_ID"),
    OSType: "linux",
    Architecture: arch() === "x64" ? "x86_64" : "aarch64",
    NCPU: cpus().length,
    MemTotal: totalmem(),
    DockerRootDir: engine.facts.dataRoot,
    HttpProxy: "",
    HttpsProxy: "",
    NoProxy: "",
    Name: hostname(),
    Labels: [],
    ExperimentalBuild: false,
    ServerVersion: engine.facts.version,
    LoggingDriver: "json-file",
    DefaultRuntime: "crun",
    Runtimes: { crun: { path: "crun" } },
    InitBinary: "catatonit",
    ContainerdCommit: noCommit,
    RuncCommit: noCommit,
    InitCommit: noCommit,
    SecurityOptions: ["name=seccomp,profile=builtin", ...(engine.facts.rootless ? ["name=rootless"] : [])],
    LiveRestoreEnabled: true,
    Isolation: "",
    GenericResources: null,
    FirewallBackend: { Driver: "nftables" },
    CDISpecDirs: ["/etc/cdi", "/var/run/cdi"],
    RegistryConfig: {
      IndexConfigs: {
        "docker.io": { Name: "docker.io", Mirrors: [], Secure: true, Official: true },
      },
      // Loopback registries need no certificate.
      InsecureRegistryCIDRs: ["::1/128", "127.0.0.0/8"],
      Mirrors: null,
    },
    Warnings: engine.facts.cgroups ? null : ["No cgroups: limits, pause and stats are refused"],
    Plugins: {
      Volume: ["local"],
      Network: ["bridge", "host", "ipvlan", "macvlan", "null"],
      Authorization: null,
      Log: ["json-file", "local", "none"],
    },
    Swarm: {
      NodeID: "",
      NodeAddr: "",
      LocalNodeState: "inactive",
      ControlAvailable: false,
      Error: "",
      RemoteManagers: null,
    },
    IndexServerAddress: "https://index.docker.io/v1/",
    EnginePid: engine.facts.pid,
    DataRoot: engine.facts.dataRoot,
    Socket: engine.facts.socket,
  };
}
