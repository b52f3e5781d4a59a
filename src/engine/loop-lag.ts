import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Clock } from "#base/core/clock.ts";
import type { LoopLag } from "./contract.ts";

const resolution = 2;
const milliseconds = (nanoseconds: number) => Math.round(nanoseconds / 1e4) / 100;

/**
 * How late the event loop's timers come, from the call until `seconds` are over or the signal is aborted: told once a
 * second and at the end, each time for the whole of it. The timer behind it runs meanwhile only.
 */
export async function* measureLoopLag(clock: Clock, seconds: number, signal: AbortSignal): AsyncGenerator<LoopLag> {
  const histogram = monitorEventLoopDelay({ resolution });
  const began = clock.monotonic();
  histogram.enable();
  try {
    for (let left = seconds; left > 0 && !signal.aborted; left -= 1) {
      await clock.sleep(Math.min(left, 1) * 1000, signal);
      yield {
        seconds: Math.round(clock.monotonic() - began) / 1000,
        maximum: milliseconds(histogram.max),
        mean: milliseconds(histogram.mean),
      };
    }
  } finally {
    histogram.disable();
  }
}
