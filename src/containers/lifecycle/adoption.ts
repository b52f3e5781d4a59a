import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { readMountTable } from "#base/system/mounts/table.ts";
import type { HeldLease } from "#containers/network/contract.ts";
import { watchLog, watchOver } from "./beginning.ts";
import { findConmon, readPid } from "./conmon.ts";
import type { Context, Entry } from "./context.ts";
import type { AdoptReport, ContainerRecord } from "./contract.ts";
import { exited, finishRemoval, tearDown } from "./ending.ts";
import { readExitFile } from "./exits.ts";
import { containerPaths, exitsFolder } from "./layout.ts";
import { namesOf } from "./networking.ts";
import { holdVolumes } from "./ready-mounts.ts";
import { runsAtEngineStart } from "./restart-policy.ts";
import { clearRunFolder } from "./tasks.ts";

/** What is really there of one container. */
export interface Observed {
  readonly conmon: boolean;
  readonly exitCode?: number;
  /** The runtime says it was created and let run. */
  readonly started: boolean;
  readonly pid?: number;
  /** Anything of a run on disk: a folder, a mount. */
  readonly remains: boolean;
}

/** What to do about it. Pure: the matrix test walks it. */
export type Adoption =
  | { readonly kind: "leave" }
  | { readonly kind: "watch"; readonly pid: number }
  | { readonly kind: "record-exit"; readonly code: number; readonly error?: string }
  | { readonly kind: "take-back" }
  /** It waited to run again, or its policy brings it back with the engine. */
  | { readonly kind: "restart" }
  | { readonly kind: "go-on-removing" };

/** As Docker's 137: killed, by whom is not known. */
const unknownExit = 137;

export function planAdoption(record: ContainerRecord, seen: Observed): Adoption {
  const { status } = record.state;
  if (status === "removing") return { kind: "go-on-removing" };
  if (seen.exitCode !== undefined && (status === "running" || status === "paused" || seen.started)) {
    return { kind: "record-exit", code: seen.exitCode };
  }
  if (status === "running" || status === "paused") {
    if (seen.conmon && seen.started && seen.pid !== undefined) return { kind: "watch", pid: seen.pid };
    const error = seen.conmon
      ? "the engine ended while it started"
      : "the machine or conmon ended; its exit code is not known";
    return { kind: "record-exit", code: unknownExit, error };
  }
  // The engine died between starting the process and writing so: it runs, so it is running.
  if (seen.conmon && seen.started && seen.pid !== undefined) return { kind: "watch", pid: seen.pid };
  if (status === "restarting" || (status === "exited" && isBroughtBack(record))) return { kind: "restart" };
  return seen.remains || seen.conmon ? { kind: "take-back" } : { kind: "leave" };
}

function isBroughtBack({ config, stoppedByUser = false }: ContainerRecord): boolean {
  return runsAtEngineStart(config.restart, stoppedByUser);
}

export async function adoptAll(context: Context, entries: readonly Entry[]): Promise<AdoptReport> {
  const report = { running: 0, exited: 0, unknown: 0, removed: 0 };
  const held = new Map<string, HeldLease>();
  const plans = await Promise.all(
    entries.map(async (entry) => [entry, planAdoption(entry.record, await observe(context, entry))] as const),
  );
  for (const [entry, plan] of plans) {
    const { network, sandbox } = entry.record;
    if (plan.kind !== "watch" || network === undefined) continue;
    held.set(entry.record.id, {
      lease: network,
      names: namesOf(entry.record),
      dns: sandbox.dns ?? [],
      egress: sandbox.egress,
    });
  }
  await context.networks?.adopt(held);
  // Before any is let go: what a running container still has mounted stays the one mount of it.
  for (const [entry, plan] of plans) if (plan.kind === "watch") await holdVolumes(context, entry);
  await Promise.all(plans.map(([entry, plan]) => entry.serial.run(() => apply(context, entry, plan, report))));
  await clearStrangers(context, entries);
  return report;
}

async function apply(
  context: Context,
  entry: Entry,
  plan: Adoption,
  report: { running: number; exited: number; unknown: number; removed: number },
): Promise<void> {
  if (plan.kind === "leave") return;
  entry.clean = false;
  if (plan.kind === "watch") {
    report.running += 1;
    const { state } = entry.record;
    if (state.status !== "running" && state.status !== "paused") {
      entry.set({ state: { status: "running", pid: plan.pid, startedAt: context.clock.now() } });
      context.table.update("adopt", entry.record);
    }
    watchLog(context, entry);
    const conmon = findConmon(entry.paths.conmonPidFile, entry.record.id);
    // It is not this engine's child: the kernel tells its end through a pidfd.
    const ended = conmon === undefined ? Promise.resolve() : context.packets.processEnd(conmon);
    watchOver(context, entry, { pid: plan.pid, ended: ended.then(() => undefined) });
  } else if (plan.kind === "record-exit") {
    report[plan.error === undefined ? "exited" : "unknown"] += 1;
    if (!entry.running) entry.set({ state: { status: "running", pid: 0, startedAt: context.clock.now() } });
    await exited(context, entry, plan);
  } else if (plan.kind === "take-back" || plan.kind === "restart") {
    await tearDown(context, entry);
    context.exits.forget(entry.record.id);
    if (plan.kind === "restart") bringBack(context, entry);
  } else {
    report.removed += 1;
    await finishRemoval(context, entry, entry.record.config.autoRemove ?? false);
  }
}

/** By the way of every restart, so that one that fails is tried again. */
function bringBack(context: Context, entry: Entry): void {
  const { state } = entry.record;
  if (state.status !== "exited" && state.status !== "restarting") return;
  entry.lastDelay = 0;
  entry.set({ state: { ...state, status: "restarting", again: context.clock.now() } });
  context.runAgain(entry);
}

async function observe(context: Context, { paths, record }: Entry): Promise<Observed> {
  const remains = existsSync(paths.run) || readMountTable().some((mount) => mount.mountPoint === paths.rootfs);
  if (!remains && !existsSync(paths.exitFile)) return { conmon: false, started: false, remains: false };
  const exitCode = readExitFile(paths.exitFile);
  const state = await context.runtime.state(record.id);
  const pid = readPid(paths.pidFile);
  return {
    conmon: findConmon(paths.conmonPidFile, record.id) !== undefined,
    started: state !== undefined && state.status !== "created" && state.status !== "creating",
    remains,
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(pid === undefined ? {} : { pid }),
  };
}

/** Run folders without a row: a create or remove that a crash cut short. */
async function clearStrangers(context: Context, entries: readonly Entry[]): Promise<void> {
  const known = new Set(entries.map((entry) => entry.record.id));
  const folder = join(context.layout.run, "containers");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const id of readdirSync(folder)) {
    if (known.has(id) || !/^[0-9a-f]{64}$/.test(id)) continue;
    await context.runtime.delete(id);
    const paths = containerPaths(context.layout, id);
    await context.kernel.run(clearRunFolder, { folder: paths.run, rootfs: paths.rootfs });
  }
  for (const id of readdirSync(exitsFolder(context.layout))) if (!known.has(id)) context.exits.forget(id);
}
