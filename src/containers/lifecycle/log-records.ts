import type { LogLine } from "./contract.ts";

/**
 * Records of a k8s-file log: "<time> <stream> <P|F> <bytes>\n". P: the line goes on in the next record of its stream.
 * They are found by their positions in a block and never copied: this is the inner loop of reading a log.
 */
const [newline, space, letterF, letterP, letterE, letterO] = [10, 32, 70, 80, 101, 111];
/** "stdout" and "stderr" are as long as each other. */
const streamLength = 6;

/** Where a record's parts are in a block that holds it; `end` is behind its newline. */
export interface RecordAt {
  readonly start: number;
  readonly timeEnd: number;
  readonly full: boolean;
  readonly stream: LogLine["stream"];
  readonly content: number;
  readonly end: number;
}

/** undefined for what is no record (the rest of a log that was cut). */
export function recordAt(block: Buffer, start: number, end: number): RecordAt | undefined {
  const timeEnd = block.indexOf(space, start);
  const tagAt = timeEnd + streamLength + 2;
  if (timeEnd <= start || tagAt + 2 > end || block[tagAt - 1] !== space || block[tagAt + 1] !== space) return undefined;
  const tag = block[tagAt];
  // std-o-ut, std-e-rr
  const letter = block[timeEnd + 4];
  if ((tag !== letterF && tag !== letterP) || (letter !== letterO && letter !== letterE)) return undefined;
  return {
    start,
    timeEnd,
    full: tag === letterF,
    stream: letter === letterO ? "stdout" : "stderr",
    content: tagAt + 2,
    end,
  };
}

/** A line in one record: its bytes are a view, its time is made when somebody asks. */
class WholeLine implements LogLine {
  readonly stream: LogLine["stream"];
  readonly bytes: Uint8Array;
  readonly #block: Buffer;
  readonly #start: number;
  readonly #timeEnd: number;

  constructor(block: Buffer, record: RecordAt) {
    this.stream = record.stream;
    this.bytes = block.subarray(record.content, record.end);
    this.#block = block;
    this.#start = record.start;
    this.#timeEnd = record.timeEnd;
  }

  get timestamp(): string {
    return this.#block.toString("latin1", this.#start, this.#timeEnd);
  }
}

/** A line longer than this is given in pieces, so that none can fill the memory. */
const longestLine = 1024 * 1024;

/** Makes lines of records; partial ones of each stream are joined. */
export class LineMaker {
  readonly #open = new Map<LogLine["stream"], { timestamp: string; pieces: Buffer[]; size: number }>();

  /** Adds the lines of the whole records in `block` to `lines`; gives where the rest begins. */
  take(block: Buffer, lines: LogLine[]): number {
    let start = 0;
    for (let at = block.indexOf(newline); at >= 0; at = block.indexOf(newline, start)) {
      const record = recordAt(block, start, at + 1);
      start = at + 1;
      if (record === undefined) continue;
      if (record.full && this.#open.size === 0) lines.push(new WholeLine(block, record));
      else this.#join(block, record, lines);
    }
    return start;
  }

  /** Lines that never got their end. */
  finish(): LogLine[] {
    const left = [...this.#open].map(([stream, { timestamp, pieces }]) => ({
      stream,
      timestamp,
      bytes: Buffer.concat(pieces),
    }));
    this.#open.clear();
    return left;
  }

  #join(block: Buffer, record: RecordAt, lines: LogLine[]): void {
    const { stream, full, content, end } = record;
    const timestamp = block.toString("latin1", record.start, record.timeEnd);
    const open = this.#open.get(stream) ?? { timestamp, pieces: [] as Buffer[], size: 0 };
    // The newline of a partial record is conmon's, not the line's.
    const piece = Buffer.from(block.subarray(content, full ? end : end - 1));
    open.pieces.push(piece);
    open.size += piece.length;
    if (!full && open.size < longestLine) {
      this.#open.set(stream, open);
      return;
    }
    this.#open.delete(stream);
    lines.push({ stream, timestamp: open.timestamp, bytes: Buffer.concat(open.pieces) });
  }
}
