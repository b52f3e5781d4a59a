import { join } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import type { MountSpec, NamespaceChoice, Namespaces } from "#containers/runtime/contract.ts";
import { defaultShmSize } from "#containers/runtime/mounts.ts";
import type { Context, Entry } from "./context.ts";
import type { ContainerRecord, SharedNamespace } from "./contract.ts";
import { mountShm } from "./tasks.ts";

/** The namespaces of a start: its own, the host's, or those of another running container. Errors: "conflict". */
export function namespacesOf(context: Context, { sandbox }: ContainerRecord, network: NamespaceChoice): Namespaces {
  const { ipc = "private", pid = "private", uts, cgroup } = sandbox;
  return {
    network,
    ipc: choiceOf(context, ipc === "shareable" ? "private" : ipc, "ipc"),
    pid: choiceOf(context, pid, "pid"),
    uts: { kind: uts === "host" ? "host" : "new" },
    cgroup: { kind: cgroup === "private" ? "new" : "host" },
  };
}

function choiceOf(context: Context, shared: SharedNamespace, name: "ipc" | "pid"): NamespaceChoice {
  if (shared === "private") return { kind: "new" };
  if (shared === "host") return { kind: "host" };
  return { kind: "path", path: `/proc/${pidOf(context, shared.container, name)}/ns/${name}` };
}

function pidOf(context: Context, id: string, name: string): number {
  const { record } = context.find(id);
  if (record.state.status === "running") return record.state.pid;
  throw new GantryError("conflict", {
    doing: `join the ${name} namespace of the container`,
    on: record.name,
    because: "it is not running",
    next: "Start it first.",
  });
}

/**
 * /dev/shm of containers that share their ipc namespace. The mount namespaces are theirs alone, so the file system is
 * mounted where both can bind it from: in the run folder of the one that shares it.
 */
export async function sharedMemory(context: Context, { record, paths }: Entry): Promise<MountSpec[]> {
  const { ipc } = record.sandbox;
  if (ipc === undefined || ipc === "private" || ipc === "host") return [];
  if ((record.config.mounts ?? []).some((mount) => mount.target === "/dev/shm")) return [];
  if (ipc === "shareable") {
    const place = join(paths.mounts, "shm");
    await context.kernel.run(mountShm, { place, size: record.config.shmSize ?? defaultShmSize });
    return [{ type: "bind", source: place, target: "/dev/shm" }];
  }
  return [{ type: "bind", source: join(context.find(ipc.container).paths.mounts, "shm"), target: "/dev/shm" }];
}
