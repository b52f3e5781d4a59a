import { join } from "node:path";
import type { TestEngine } from "./engine.ts";

interface Measured {
  readonly seconds: number;
  readonly maximum: number;
}

/** Gets ready and gives the work to measure. */
export type Try = () => Promise<() => Promise<unknown>> | (() => Promise<unknown>);

/**
 * The least lag in several tries of the same work, in milliseconds; a further one only when the last was over `bar`.
 * What an idle program beside the engine had at most is taken off: on a busy machine every loop waits for a processor,
 * and what really blocks the engine's shows in each try.
 */
export async function leastLag(engine: TestEngine, bar: number, tries: readonly Try[]): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (const prepare of tries) {
    if (least <= bar) break;
    const work = await prepare();
    const idle = Bun.spawn([process.execPath, join(import.meta.dir, "idle-loop.ts")], {
      stdin: "pipe",
      stdout: "pipe",
    });
    const { maximum } = await lagDuring(engine, work);
    await idle.stdin.end();
    least = Math.min(least, maximum - Number(await new Response(idle.stdout).text()));
  }
  return least;
}

/** How late the engine's event loop was at most, from before the work's beginning until after its end. */
async function lagDuring(engine: TestEngine, work: () => Promise<unknown>): Promise<Measured> {
  await using lag = await listen(engine);
  await lag.next();
  let ended = false;
  const working = work().finally(() => {
    ended = true;
  });
  for (;;) {
    const last = ended;
    const measured = await lag.next();
    if (!last) continue;
    await working;
    return measured;
  }
}

async function listen(engine: TestEngine): Promise<{ next(): Promise<Measured> } & AsyncDisposable> {
  const gone = new AbortController();
  const answer = await fetch("http://engine/gantry/v1/loop-lag?seconds=600", {
    unix: engine.socket,
    signal: gone.signal,
  });
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return {
    async next() {
      while (!text.includes("\n")) {
        const { value, done } = await reader.read();
        if (done) throw new Error("the measurement ended");
        text += value;
      }
      const end = text.indexOf("\n");
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      return JSON.parse(line) as Measured;
    },
    async [Symbol.asyncDispose]() {
      gone.abort();
    },
  };
}
