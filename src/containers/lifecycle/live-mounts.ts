import { join } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import type { Context, Entry } from "./context.ts";
import type { MountChange } from "./contract.ts";
import { holdVolumes, readyMount } from "./ready-mounts.ts";
import { mountLive, unmountLive } from "./tasks.ts";

/** First the kernel, then the record. Call it inside `entry.serial`. */
export async function addMount(
  context: Context,
  entry: Entry,
  { mount, volumes, request }: MountChange,
): Promise<void> {
  const { record } = entry;
  const mounts = record.config.mounts ?? [];
  if (mounts.some(({ target }) => target === mount.target)) {
    throw new GantryError("conflict", {
      doing: "mount into the container at",
      on: mount.target,
      because: `the container ${record.name} has a mount there`,
      next: "Take that one away first, or choose another place.",
    });
  }
  const before = record;
  entry.set({
    volumes: [...record.volumes, ...volumes],
    request,
    config: { ...record.config, mounts: [...mounts, mount] },
  });
  try {
    if (entry.running) await mountNow(context, entry, mount, mounts.length);
  } catch (error) {
    entry.set({ volumes: before.volumes, request: before.request, config: before.config });
    throw error;
  }
  context.table.update("mount", entry.record);
}

async function mountNow(context: Context, entry: Entry, mount: MountChange["mount"], index: number): Promise<void> {
  if (mount.type === "tmpfs") {
    throw new GantryError("unsupported", {
      doing: "mount into the running container at",
      on: mount.target,
      because: "a memory file system is made at the start only",
      next: "Mount a volume, or create the container with --tmpfs.",
    });
  }
  await holdVolumes(context, entry);
  const ready = await readyMount(context, mount, join(entry.paths.mounts, `live-${index}`));
  const { state } = entry.record;
  if (ready.type !== "bind" || !("pid" in state)) return;
  const { source, target, readonly = false, topReadonly = false } = ready;
  await context.kernel.run(mountLive, { pid: state.pid, source, target, readonly, topReadonly });
}

export async function removeMount(context: Context, entry: Entry, target: string, request: unknown): Promise<void> {
  const { record } = entry;
  const mounts = record.config.mounts ?? [];
  if (!mounts.some((mount) => mount.target === target)) {
    throw new GantryError("not-found", {
      doing: "take away the mount at",
      on: target,
      because: `the container ${record.name} has none there`,
      next: `See: gantry inspect ${record.name} --format '{{json .Mounts}}'`,
    });
  }
  const { state } = record;
  if ("pid" in state) await context.kernel.run(unmountLive, { pid: state.pid, target });
  // Its volume stays the container's own until the end: what was opened in it may be in use.
  entry.set({
    request,
    config: { ...record.config, mounts: mounts.filter((mount) => mount.target !== target) },
  });
  context.table.update("unmount", entry.record);
}
