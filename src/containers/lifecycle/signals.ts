import { constants } from "node:os";
import { GantryError } from "#base/core/errors.ts";

const byNumber = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));
const [firstRealtime, lastRealtime] = [34, 64];

/** "SIGTERM", "term", "15": the full name, or the number for a real-time signal. Error "invalid". */
export function signalName(word: string): string {
  const upper = word.toUpperCase();
  if (/^\d+$/.test(word)) {
    const number = Number(word);
    const name = byNumber.get(number);
    if (name !== undefined) return name;
    if (number >= firstRealtime && number <= lastRealtime) return String(number);
  }
  const name = upper.startsWith("SIG") ? upper : `SIG${upper}`;
  if (name in constants.signals) return name;
  const realtime = /^SIGRTMIN(\+(\d+))?$/.exec(name);
  if (realtime !== null) return String(firstRealtime + Number(realtime[2] ?? 0));
  throw new GantryError("invalid", { doing: "send the signal", on: word, because: "there is no such signal" });
}

/** A signal by the name `signalName` gave; one that has ended hears nothing more, and that is no error. */
export function signalProcess(pid: number, name: string): void {
  try {
    process.kill(pid, /^\d+$/.test(name) ? Number(name) : (name as NodeJS.Signals));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
