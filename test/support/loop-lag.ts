import type { TestEngine } from "./engine.ts";

interface Measured {
  readonly seconds: number;
  readonly maximum: number;
}

/**
 * The least of the lags in several tries of the same work; a further one only when the last was over `bar`. On a busy
 * machine the loop also waits for a processor; what blocks it shows every time.
 */
export async function leastLag(engine: TestEngine, bar: number, tries: readonly (() => Promise<unknown>)[]) {
  let least = Number.POSITIVE_INFINITY;
  for (const work of tries) {
    if (least <= bar) break;
    least = Math.min(least, (await lagDuring(engine, work)).maximum);
  }
  return least;
}

/** How late the engine's event loop was at most, in milliseconds, from before the work's beginning until after its end. */
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
