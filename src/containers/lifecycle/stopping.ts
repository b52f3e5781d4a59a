import { GantryError } from "#base/core/errors.ts";
import type { TerminalSize } from "#containers/runtime/contract.ts";
import { tellConmon } from "./conmon-control.ts";
import type { Context, Entry } from "./context.ts";
import type { ContainerRecord } from "./contract.ts";
import { cancelRestart } from "./restarting.ts";
import { signalName } from "./signals.ts";

const defaultStopTimeout = 10;

export interface StopOptions {
  readonly signal?: string;
  /** Seconds; -1 waits for ever. */
  readonly timeout?: number;
}

/** Whether a signal means the end: SIGKILL, or the one that asks this container to stop. */
export function endsIt({ config }: ContainerRecord, signal: string): boolean {
  return signal === "SIGKILL" || signal === signalName(config.stopSignal ?? "SIGTERM");
}

/** Does what ends a run, and no restart policy answers it. One that waits to run again just no longer does. */
export async function endForGood(context: Context, entry: Entry, end: () => Promise<void>): Promise<void> {
  if (cancelRestart(context, entry)) return;
  entry.set({ stoppedByUser: true });
  // Known before the end: an engine that dies between the two must not bring it back.
  if (entry.record.config.restart !== undefined) context.table.update("stop", entry.record);
  await end();
}

/** Signals and waits, then kills. The lock is not held meanwhile, or the end could not be recorded. */
export async function stopContainer(context: Context, entry: Entry, options: StopOptions): Promise<void> {
  const { config, id } = entry.record;
  const ended = entry.nextExit();
  const signal = signalName(options.signal ?? config.stopSignal ?? "SIGTERM");
  const timeout = options.timeout ?? config.stopTimeout ?? defaultStopTimeout;
  await sendSignal(context, entry, signal);
  if (timeout >= 0 && entry.running) {
    const patience = new AbortController();
    const late = context.clock.sleep(timeout * 1000, patience.signal).then(
      () => "late" as const,
      () => "ended" as const,
    );
    const first = await Promise.race([ended.then(() => "ended" as const), late]);
    patience.abort();
    if (first === "late") await context.runtime.kill(id, "SIGKILL", true);
  }
  if (entry.running) await ended;
}

/** A frozen process gets its signal only when it thaws. */
export async function sendSignal(context: Context, entry: Entry, signal: string): Promise<void> {
  const { id, state } = entry.record;
  await context.runtime.kill(id, signal);
  if (state.status === "paused") await thaw(context, entry);
}

export async function freeze(context: Context, entry: Entry): Promise<void> {
  const { state } = entry.record;
  if (state.status !== "running") return;
  await context.runtime.pause(entry.record.id);
  entry.set({ state: { ...state, status: "paused" } });
  context.table.update("pause", entry.record);
  context.emit("pause", entry.record);
}

export async function thaw(context: Context, entry: Entry): Promise<void> {
  const { state } = entry.record;
  if (state.status !== "paused") return;
  await context.runtime.resume(entry.record.id);
  // A signal that waited may have ended it by now; its end is recorded and stays.
  if (entry.record.state.status !== "paused") return;
  entry.set({ state: { ...state, status: "running" } });
  context.table.update("unpause", entry.record);
  context.emit("unpause", entry.record);
}

/** conmon reads "1 <rows> <columns>" from its control fifo. */
export function resizeTerminal(control: string, { rows, columns }: TerminalSize): void {
  const whole = (value: number) => Number.isInteger(value) && value >= 0 && value <= 0xffff;
  if (!whole(rows) || !whole(columns)) {
    throw new GantryError("invalid", {
      doing: "resize the terminal to",
      on: `${rows} × ${columns}`,
      because: "rows and columns are whole numbers up to 65535",
    });
  }
  if (!tellConmon(control, `1 ${rows} ${columns}\n`)) {
    throw new GantryError("conflict", { doing: "resize the terminal", because: "the process has ended" });
  }
}
