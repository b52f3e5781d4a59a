import { begin } from "./beginning.ts";
import type { Context, Entry } from "./context.ts";

/** Waits until a restarting container's time has come and starts it; cancelled by `cancelRestart`. */
export function scheduleRestart(context: Context, entry: Entry): void {
  const { state } = entry.record;
  if (state.status !== "restarting") return;
  const waiting = new AbortController();
  entry.restart = waiting;
  const late = () => restartNow(context, entry, waiting.signal);
  // A wall clock set back must not hold it for hours: the wait is counted from now.
  const delay = Math.min(Math.max(0, state.again - context.clock.now()), entry.lastDelay ?? 0);
  // The only rejection is the abort, and who aborts has taken the container over.
  void context.clock.sleep(delay, waiting.signal).then(late, () => undefined);
}

async function restartNow(context: Context, entry: Entry, signal: AbortSignal): Promise<void> {
  await entry.serial.run(async () => {
    if (signal.aborted || entry.record.state.status !== "restarting") return;
    entry.restart = undefined;
    entry.set({ restarts: (entry.record.restarts ?? 0) + 1 });
    try {
      await begin(context, entry);
    } catch {
      // `begin` has recorded it as an end of its own, and planned what follows.
      return;
    }
  });
}

/** Ends the waiting of a restarting container: it has exited for good. False when it did not wait. */
export function cancelRestart(context: Context, entry: Entry): boolean {
  const { state } = entry.record;
  if (state.status !== "restarting") return false;
  entry.restart?.abort();
  entry.restart = undefined;
  const { again: _again, ...exit } = state;
  entry.set({ state: { ...exit, status: "exited" }, stoppedByUser: true });
  context.table.update("restart-cancelled", entry.record);
  entry.tellStopped(exit);
  return true;
}
