import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { type Context, type Entry, waitResult } from "./context.ts";
import type { ContainerRecord, ContainerState, ExitRecord } from "./contract.ts";
import { releaseVolumes } from "./ready-mounts.ts";
import { planRestart } from "./restart-policy.ts";
import { forgetSecrets } from "./secrets.ts";
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
  const { state } = entry.record;
  const exit: ExitRecord = {
    exitCode: end.code,
    startedAt: "startedAt" in state ? state.startedAt : 0,
    finishedAt: context.clock.now(),
    oomKilled: existsSync(entry.paths.oom),
    ...(end.error === undefined ? {} : { error: end.error }),
  };
  const next = afterEnd(context, entry, exit);
  entry.set({ state: next });
  entry.tellExit(exit);
  if (next.status !== "restarting") entry.tellStopped(exit);
  context.table.update("exit", entry.record);
  if (exit.oomKilled) context.emit("oom", entry.record);
  context.emit("die", entry.record, { exitCode: String(exit.exitCode) });
  context.faults.at("containers.exit.file");
  context.exits.forget(entry.record.id);
  await tearDown(context, entry);
  if (next.status === "removing") await finishRemoval(context, entry, true);
  context.runAgain(entry);
}

/** The state after an end; decides about the next run and ends this one's probes. */
export function afterEnd(
  context: Context,
  entry: Entry,
  exit: ExitRecord,
): Extract<ContainerState, { readonly status: "exited" | "restarting" | "removing" }> {
  entry.probing?.abort();
  entry.probing = undefined;
  const { config, stoppedByUser = false, restarts = 0 } = entry.record;
  if (config.autoRemove) return { status: "removing", last: exit };
  const wish = planRestart({
    policy: entry.againAfterEnd ? { name: "always" } : config.restart,
    exitCode: exit.exitCode,
    stoppedByUser: stoppedByUser && !entry.againAfterEnd,
    restarts,
    ranFor: exit.finishedAt - exit.startedAt,
    ...(entry.lastDelay === undefined ? {} : { lastDelay: entry.lastDelay }),
  });
  entry.againAfterEnd = false;
  if (wish.kind === "stay") return { status: "exited", ...exit };
  entry.lastDelay = wish.delay;
  return { status: "restarting", again: context.clock.now() + wish.delay, ...exit };
}

/** Takes back what a run made: runtime state, cgroups, network, mount, run folder. Idempotent; outlives its errors. */
export async function tearDown(context: Context, entry: Entry): Promise<void> {
  if (entry.clean) return;
  await entry.logWatch?.[Symbol.asyncDispose]();
  entry.logWatch = undefined;
  // The last turns of its log may not have been told any more.
  entry.log.rotation?.turned();
  const { id } = entry.record;
  // Side by side: the runtime keeps its state in a folder of its own and wants neither bundle nor root to remove it.
  await allOf([
    context.runtime.delete(id),
    context.networks?.release(id),
    context.kernel.run(clearRunFolder, { folder: entry.paths.run, rootfs: entry.paths.rootfs }),
    releaseVolumes(context, entry),
  ]);
  const { network: _gone, ...rest } = entry.record;
  entry.record = rest satisfies ContainerRecord;
  entry.clean = true;
}

/** Waits for each, also when one fails; then the first failure goes on. */
async function allOf(work: readonly (Promise<unknown> | undefined)[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/** Removes what outlives a run, then the row: a crash on the way is gone on with by `adopt`. */
export async function finishRemoval(context: Context, entry: Entry, volumes: boolean): Promise<void> {
  const { record, paths } = entry;
  await tearDown(context, entry);
  await forgetSecrets(context, entry);
  context.faults.at("containers.remove.rootfs");
  await context.rootfs.remove(record.id);
  const anonymous = record.volumes.filter((volume) => volume.anonymous).map((volume) => volume.name);
  if (volumes && anonymous.length > 0) {
    await context.volumes?.removeAnonymous(anonymous);
  }
  context.faults.at("containers.remove.data");
  // Its log may be big, and freeing that takes long.
  await rm(paths.data, { recursive: true, force: true });
  context.exits.forget(record.id);
  context.table.delete(record.id);
  context.forget(entry);
  for (const client of entry.pending) client.abandon();
  context.emit("destroy", record);
  entry.tellRemoved(waitResult(record.state.status === "removing" ? record.state.last : lastExit(record)));
}

export function lastExit(record: ContainerRecord): ExitRecord | undefined {
  return record.state.status === "exited" || record.state.status === "restarting" ? record.state : undefined;
}
