import { join } from "node:path";
import type { MountSpec } from "#containers/runtime/contract.ts";
import type { Context, Entry } from "./context.ts";
import type { ContainerMount } from "./contract.ts";
import { secretMounts } from "./secrets.ts";
import { sharedMemory } from "./sharing.ts";
import { bindPart, mountRoot } from "./tasks.ts";

/** Mounts the volumes a container uses and binds the parts it wants; gives its mounts as the runtime takes them. */
export async function readyMounts(context: Context, entry: Entry): Promise<MountSpec[]> {
  await holdVolumes(context, entry);
  const mounts = await sharedMemory(context, entry);
  for (const [index, mount] of (entry.record.config.mounts ?? []).entries()) {
    mounts.push(await readyMount(context, mount, join(entry.paths.mounts, String(index))));
  }
  return [...mounts, ...secretMounts(entry)];
}

export async function readyMount(context: Context, mount: ContainerMount, place: string): Promise<MountSpec> {
  if (mount.type === "tmpfs") return mount;
  if (mount.type === "image") {
    const { image, target, subpath } = mount;
    const { cwd, options } = await context.rootfs.readOnly(image);
    await context.kernel.run(mountRoot, { cwd, options, target: place });
    const source = await partOf(context, { source: place, place: `${place}-part`, subpath });
    return { type: "bind", source, target, readonly: true };
  }
  const { subpath, shallow, ...rest } = mount;
  return { ...rest, source: await partOf(context, { source: rest.source, place, subpath, shallow }) };
}

interface Part {
  readonly source: string;
  readonly place: string;
  readonly subpath: string | undefined;
  readonly shallow?: boolean | undefined;
}

/** crun 1.8 binds with all that is below, so what is to be less is bound here first. */
async function partOf(context: Context, { source, place, subpath, shallow = false }: Part): Promise<string> {
  if (subpath === undefined && !shallow) return source;
  await context.kernel.run(bindPart, { source, place, shallow, ...(subpath === undefined ? {} : { subpath }) });
  return place;
}

export async function holdVolumes(context: Context, { record }: Entry): Promise<void> {
  for (const { name } of record.volumes) await context.volumes?.hold(name, record.id);
}

export async function releaseVolumes(context: Context, { record }: Entry): Promise<void> {
  for (const { name } of record.volumes) await context.volumes?.release(name, record.id);
}
