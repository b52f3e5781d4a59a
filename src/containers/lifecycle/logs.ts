import { closeSync, fstatSync, openSync, readSync, statSync, watch } from "node:fs";
import { dirname } from "node:path";
import type { LogLine, LogOptions } from "./contract.ts";
import { type LogRecord, parseRecord, RecordJoiner } from "./log-records.ts";

const blockSize = 64 * 1024;

/**
 * Lines of conmon's log. `untilEnd` gives, while the container runs, a promise of its end; following goes on until
 * then and reads what came last. A log that conmon began anew at its size cap is followed into the new file.
 */
export async function* readLog(
  path: string,
  options: LogOptions,
  untilEnd: () => Promise<void> | undefined,
): AsyncGenerator<LogLine> {
  const joiner = new RecordJoiner();
  const wants = (line: LogLine) => options[line.stream] !== false && isWithin(line, options);
  const ending = options.follow ? untilEnd() : undefined;
  let ended = ending === undefined;
  const changes = new Changes(path, options.signal);
  void ending?.then(() => {
    ended = true;
    changes.notify();
  });
  try {
    let file = openLog(path);
    let rest: Buffer = Buffer.alloc(0);
    let position = file === undefined || options.tail === undefined ? 0 : tailPosition(file, options.tail);
    for (;;) {
      // Asked before reading: what is written after this is read in the next round.
      const last = ended || (options.signal?.aborted ?? false);
      file ??= openLog(path);
      while (file !== undefined) {
        const block = readBlock(file, position);
        if (block.length === 0) break;
        position += block.length;
        const { lines, left } = splitLines(Buffer.concat([rest, block]));
        rest = left;
        for (const line of lines) {
          const record = parseRecord(line);
          for (const whole of record === undefined ? [] : joiner.add(record)) if (wants(whole)) yield whole;
        }
        if (options.signal?.aborted) return;
      }
      if (last) break;
      if (file !== undefined && wasReplaced(file, path)) {
        closeSync(file);
        file = undefined;
        position = 0;
        rest = Buffer.alloc(0);
        continue;
      }
      await changes.next();
    }
    if (file !== undefined) closeSync(file);
    for (const whole of joiner.finish()) if (wants(whole)) yield whole;
  } finally {
    changes[Symbol.dispose]();
  }
}

function isWithin(line: LogLine, { since, until }: LogOptions): boolean {
  if (since === undefined && until === undefined) return true;
  const time = Date.parse(line.timestamp);
  return (since === undefined || time >= since) && (until === undefined || time <= until);
}

function openLog(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch {
    return undefined; // Not started yet, or it logs nothing.
  }
}

function wasReplaced(fd: number, path: string): boolean {
  try {
    return statSync(path).ino !== fstatSync(fd).ino;
  } catch {
    return false;
  }
}

function readBlock(fd: number, position: number): Buffer {
  const buffer = Buffer.alloc(blockSize);
  return buffer.subarray(0, readSync(fd, buffer, 0, blockSize, position));
}

function splitLines(bytes: Buffer): { lines: Buffer[]; left: Buffer } {
  const lines: Buffer[] = [];
  let from = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
    lines.push(bytes.subarray(from, end));
    from = end + 1;
  }
  return { lines, left: Buffer.from(bytes.subarray(from)) };
}

/** Where the last `count` whole lines begin: blocks are read from the end and ends of lines counted. */
function tailPosition(fd: number, count: number): number {
  const { size } = fstatSync(fd);
  if (count <= 0) return size;
  let found = 0;
  let end = size;
  let after: LogRecord | undefined;
  let carry: Buffer = Buffer.alloc(0);
  while (end > 0) {
    const start = Math.max(0, end - blockSize * 4);
    const block = Buffer.alloc(end - start);
    readSync(fd, block, 0, block.length, start);
    const bytes = Buffer.concat([block, carry]);
    const firstBreak = start === 0 ? -1 : bytes.indexOf(10);
    if (start > 0 && firstBreak < 0) {
      carry = bytes;
      end = start;
      continue;
    }
    let lineEnd = bytes.at(-1) === 10 ? bytes.length - 1 : bytes.length;
    for (;;) {
      const breakAt = lineEnd === 0 ? -1 : bytes.lastIndexOf(10, lineEnd - 1);
      if (breakAt < firstBreak || (breakAt < 0 && start > 0)) break;
      const record = parseRecord(bytes.subarray(breakAt + 1, lineEnd));
      // A line ends with a full record; partial ones before it belong to it.
      if (record !== undefined && (record.full || after === undefined)) {
        if (found === count) return start + lineEnd + 1;
        found += 1;
        after = record;
      }
      if (breakAt < 0) return 0;
      if (breakAt === firstBreak) break;
      lineEnd = breakAt;
    }
    carry = Buffer.from(bytes.subarray(0, firstBreak + 1));
    end = start;
  }
  return 0;
}

/** Wakes when the log's folder changes, or when told. */
class Changes implements Disposable {
  readonly #watcher: ReturnType<typeof watch> | undefined;
  #dirty = false;
  #wake: (() => void) | undefined;

  constructor(path: string, signal: AbortSignal | undefined) {
    try {
      this.#watcher = watch(dirname(path), () => this.notify());
    } catch {
      this.#watcher = undefined; // No folder: nothing was ever written.
    }
    signal?.addEventListener("abort", () => this.notify(), { once: true });
  }

  notify(): void {
    this.#dirty = true;
    this.#wake?.();
  }

  async next(): Promise<void> {
    if (!this.#dirty) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#dirty = false;
    this.#wake = undefined;
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
  }
}
