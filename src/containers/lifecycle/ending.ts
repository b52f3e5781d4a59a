import { existsSync, rmSync } from "node:fs";

import { type Context, type Entry, waitResult } from "./context.ts";
import type { ContainerRecord, ExitRecord } from "./contract.ts";
import { clearRunFolder } from "./tasks.ts";

export interface End {
  readonly code: number;
  readonly error?: string;
}

/**
 * Records an end and clears away; call it inside `entry.serial`. Waiters hear first: conmon's exit file keeps the
 * code until the commit, so a crash between loses nothing.
 */
export async function exited(context: Context, entry: Entry, end: End): Promise<void> {
  if (!entry.running) return;
  const { state, config } = entry.record;
  const exit: ExitRecord = {
    exitCode: end.code,
    startedAt: "startedAt" in state ? state.startedAt : 0,
    finishedAt: context.clock.now(),
    oomKilled: existsSync(entry.paths.oom),
    ...(end.error === undefined ? {} : { error: end.error }),
  };
  entry.set({ state: config.autoRemove ? { status: "removing", last: exit } : { status: "exited", ...exit } });
  entry.tellExit(exit);
  context.table.update("exit", entry.record);
  if (exit.oomKilled) context.emit("oom", entry.record);
  context.emit("die", entry.record, { exitCode: String(exit.exitCode) });
  context.faults.at("containers.exit.file");
  context.exits.forget(entry.record.id);
  await tearDown(context, entry);
  if (config.autoRemove) await finishRemoval(context, entry, true);
}

/** Takes back what a run made: runtime state, cgroups, network, mount, run folder. Idempotent; outlives its errors. */
export async function tearDown(context: Context, entry: Entry): Promise<void> {
  if (entry.clean) return;
  await entry.logWatch?.[Symbol.asyncDispose]();
  entry.logWatch = undefined;
  // The last turns of its log may not have been told any more.
  entry.log.rotation?.turned();
  const { id } = entry.record;
  await Promise.all([context.runtime.delete(id), context.networks?.release(id)]);
  await context.kernel.run(clearRunFolder, { folder: entry.paths.run, rootfs: entry.paths.rootfs });
  const { network: _gone, ...rest } = entry.record;
  entry.record = rest satisfies ContainerRecord;
  entry.clean = true;
}

/** Removes what outlives a run, then the row: a crash on the way is gone on with by `adopt`. */
export async function finishRemoval(context: Context, entry: Entry, volumes: boolean): Promise<void> {
  const { record, paths } = entry;
  await tearDown(context, entry);
  context.faults.at("containers.remove.rootfs");
  await context.rootfs.remove(record.id);
  const anonymous = record.volumes.filter((volume) => volume.anonymous).map((volume) => volume.name);
  if (volumes && anonymous.length > 0) {
    await context.volumes?.removeAnonymous(anonymous);
  }
  context.faults.at("containers.remove.data");
  rmSync(paths.data, { recursive: true, force: true });
  context.exits.forget(record.id);
  context.table.delete(record.id);
  context.forget(entry);
  for (const client of entry.pending) client.abandon();
  context.emit("destroy", record);
  entry.tellRemoved(waitResult(record.state.status === "removing" ? record.state.last : lastExit(record)));
}

export function lastExit(record: ContainerRecord): ExitRecord | undefined {
  return record.state.status === "exited" ? record.state : undefined;
}
