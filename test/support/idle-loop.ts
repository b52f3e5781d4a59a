/** A program with nothing to do: prints how late its loop was at most, in milliseconds, when its input ends. */
import { monitorEventLoopDelay } from "node:perf_hooks";

const histogram = monitorEventLoopDelay({ resolution: 2 });
histogram.enable();
await Bun.stdin.text();
console.log(histogram.max / 1e6);
