import { GantryError } from "#base/core/errors.ts";
import type { SandboxSpec, SharedNamespace } from "#containers/lifecycle/contract.ts";
import type { Engine } from "#engine/contract.ts";
import type { ContainerConfig, HostConfig } from "#formats/docker/container.ts";

type Shared = Pick<SandboxSpec, "ipc" | "pid" | "uts" | "cgroup">;

/** The namespaces that are not a container's own. Errors: "invalid", "not-found", "conflict" for one not shared. */
export function sharedNamespaces(engine: Engine, host: HostConfig, config: ContainerConfig): Shared {
  const pid = modeOf(engine, "pid", host.PidMode ?? "");
  const ipc = ipcOf(engine, host.IpcMode ?? "");
  return {
    ...(ipc === undefined ? {} : { ipc }),
    ...(pid === undefined ? {} : { pid }),
    ...(hostUts(host, config) ? { uts: "host" as const } : {}),
    ...(privateCgroup(host) ? { cgroup: "private" as const } : {}),
  };
}

function modeOf(engine: Engine, name: string, mode: string): Exclude<SharedNamespace, "private"> | undefined {
  if (mode === "" || mode === "private") return undefined;
  if (mode === "host") return "host";
  const [kind, container = ""] = mode.split(":");
  if (kind !== "container" || container === "") throw invalid(name, mode, `invalid ${name.toUpperCase()} mode`);
  return { container: engine.containers.get(container).id };
}

function ipcOf(engine: Engine, mode: string): SandboxSpec["ipc"] | undefined {
  if (mode === "shareable") return mode;
  // Nothing of System V or POSIX shared memory at all: a private one nobody else sees is as good.
  if (mode === "none") throw invalid("ipc", mode, "a container without /dev/shm is not served", "Use private.");
  const shared = modeOf(engine, "ipc", mode);
  if (shared === undefined || shared === "host") return shared;
  const donor = engine.containers.get(shared.container);
  if (donor.sandbox.ipc === "shareable") return shared;
  throw new GantryError("conflict", {
    doing: "join the ipc namespace of the container",
    on: donor.name,
    because: "non-shareable IPC (hint: use IpcMode:shareable for the donor container)",
  });
}

function hostUts({ UTSMode: mode = "" }: HostConfig, config: ContainerConfig): boolean {
  if (mode === "" || mode === "private") return false;
  if (mode !== "host") throw invalid("uts", mode, "invalid UTS mode", "Known are host and private.");
  if (config.Hostname || config.Domainname)
    throw invalid("uts", mode, "conflicting options: hostname and the UTS mode");
  return true;
}

function privateCgroup({ CgroupnsMode: mode = "" }: HostConfig): boolean {
  if (["", "host", "private"].includes(mode)) return mode === "private";
  throw invalid("cgroup", mode, "invalid cgroup namespace mode", "Known are host and private.");
}

function invalid(name: string, on: string, because: string, next?: string): GantryError {
  return new GantryError("invalid", {
    doing: `use the ${name} namespace`,
    on,
    because,
    ...(next === undefined ? {} : { next }),
  });
}
