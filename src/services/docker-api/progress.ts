import { describe } from "#base/core/errors.ts";
import type { TransferProgress } from "#engine/contract.ts";
import type { ProgressLine } from "#formats/docker/contract.ts";
import type { Answer, Out } from "./contract.ts";

/** Bytes as Docker prints them: "12.34MB". */
export function humanSize(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : Number(value.toPrecision(4))}${units[unit]}`;
}

export function progressLine(progress: TransferProgress): ProgressLine {
  const { status, id, current, total } = progress;
  const named = id === undefined ? {} : { id };
  if (current === undefined) return { status, ...named, progressDetail: {} };
  const shown = total === undefined ? humanSize(current) : `${humanSize(current)}/${humanSize(total)}`;
  return {
    status,
    ...named,
    progress: shown,
    progressDetail: { current, ...(total === undefined ? {} : { total }) },
  };
}

/**
 * A stream of JSON lines. The head goes out with the first line, so that work which fails at once still answers with
 * its status code; after that an error is the last line.
 */
export async function jsonLines(work: (send: (line: ProgressLine) => void) => Promise<void>): Promise<Answer> {
  const pending: ProgressLine[] = [];
  let out: Out | undefined;
  let chain: Promise<void> = Promise.resolve();
  let begin: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const send = (line: ProgressLine) => {
    if (out === undefined) pending.push(line);
    else {
      const to = out;
      chain = chain.then(() => to.write(`${JSON.stringify(line)}\r\n`));
      chain.catch(begin);
    }
    begin();
  };
  const done = work(send);
  await Promise.race([begun, done]);
  return {
    status: 200,
    headers: { "Content-Type": "application/json" },
    stream: async (target) => {
      // While one of these is written, more may come.
      for (let line = pending.shift(); line !== undefined; line = pending.shift()) {
        await target.write(`${JSON.stringify(line)}\r\n`);
      }
      out = target;
      try {
        await done;
      } catch (error) {
        const message = describe(error);
        send({ error: message, errorDetail: { message } });
      }
      await chain;
    },
  };
}
