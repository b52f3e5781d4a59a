import type { LogLine } from "./contract.ts";

/** One record of a k8s-file log: "<time> <stream> <P|F> <bytes>". P: the line goes on in the next of its stream. */
export interface LogRecord {
  readonly timestamp: string;
  readonly stream: "stdout" | "stderr";
  readonly full: boolean;
  readonly bytes: Uint8Array;
}

/** undefined for what is no record (the first bytes of a log that was cut). */
export function parseRecord(line: Uint8Array): LogRecord | undefined {
  const space = 32;
  const first = line.indexOf(space);
  const second = line.indexOf(space, first + 1);
  if (first <= 0 || second < 0 || line[second + 2] !== space) return undefined;
  const stream = Buffer.from(line.subarray(first + 1, second)).toString("latin1");
  const tag = String.fromCharCode(line[second + 1]!);
  if ((stream !== "stdout" && stream !== "stderr") || (tag !== "P" && tag !== "F")) return undefined;
  return {
    timestamp: Buffer.from(line.subarray(0, first)).toString("latin1"),
    stream,
    full: tag === "F",
    bytes: Uint8Array.prototype.slice.call(line, second + 3),
  };
}

/** A line longer than this is given in pieces, so that none can fill the memory. */
const longestLine = 1024 * 1024;

/** Joins partial records of each stream into lines. */
export class RecordJoiner {
  readonly #open = new Map<LogRecord["stream"], { timestamp: string; pieces: Uint8Array[]; size: number }>();

  add(record: LogRecord): LogLine[] {
    const open = this.#open.get(record.stream) ?? { timestamp: record.timestamp, pieces: [], size: 0 };
    open.pieces.push(record.bytes);
    open.size += record.bytes.length;
    if (!record.full && open.size < longestLine) {
      this.#open.set(record.stream, open);
      return [];
    }
    this.#open.delete(record.stream);
    const end = record.full ? [new Uint8Array([10])] : [];
    return [{ stream: record.stream, timestamp: open.timestamp, bytes: Buffer.concat([...open.pieces, ...end]) }];
  }

  /** Lines that never got their end. */
  finish(): LogLine[] {
    const left = [...this.#open].map(([stream, open]) => ({
      stream,
      timestamp: open.timestamp,
      bytes: Buffer.concat(open.pieces),
    }));
    this.#open.clear();
    return left;
  }
}
