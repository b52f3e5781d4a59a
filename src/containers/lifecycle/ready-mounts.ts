import { join } from "node:path";
import type { MountSpec } from "#containers/runtime/contract.ts";
import type { Context, Entry } from "./context.ts";
import { bindSubpath } from "./tasks.ts";

/** Mounts the volumes a container uses and binds the parts it wants; gives its mounts as the runtime takes them. */
export async function readyMounts(context: Context, entry: Entry): Promise<MountSpec[]> {
  await holdVolumes(context, entry);
  const mounts: MountSpec[] = [];
  for (const [index, { subpath, ...mount }] of (entry.record.config.mounts ?? []).entries()) {
    if (mount.type !== "bind" || subpath === undefined) {
      mounts.push(mount);
      continue;
    }
    const place = join(entry.paths.mounts, String(index));
    await context.kernel.run(bindSubpath, { folder: mount.source, subpath, place });
    mounts.push({ ...mount, source: place });
  }
  return mounts;
}

export async function holdVolumes(context: Context, { record }: Entry): Promise<void> {
  for (const { name } of record.volumes) await context.volumes?.hold(name, record.id);
}

export async function releaseVolumes(context: Context, { record }: Entry): Promise<void> {
  for (const { name } of record.volumes) await context.volumes?.release(name, record.id);
}
