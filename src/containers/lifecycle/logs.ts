import { closeSync, fstatSync, readSync } from "node:fs";
import type { LogLine, LogOptions } from "./contract.ts";
import { LogChanges } from "./log-changes.ts";
import { type LogFile, type LogPlace, liveInode, openLogFiles } from "./log-files.ts";
import { LineMaker } from "./log-records.ts";
import type { LogRotation } from "./log-rotation.ts";
import { since, tailOf } from "./log-search.ts";
import { TimeRange } from "./log-times.ts";

const blockSize = 256 * 1024;
/** What one follower that falls behind may keep of files that lost their names. */
const heldBytes = 256 * 1024 * 1024;

export interface LogSource {
  readonly place: LogPlace;
  readonly rotation: LogRotation | undefined;
  readonly sizeMax: number;
  /** While the container runs, a promise of its end; following goes on until then and reads what came last. */
  readonly untilEnd: () => Promise<void> | undefined;
}

/** Lines of a log, many at a time, through all its files in order. */
export async function* readLog(source: LogSource, options: LogOptions): AsyncGenerator<readonly LogLine[]> {
  using reader = new LogReader(source, options);
  const ending = options.follow ? source.untilEnd() : undefined;
  using changes = new LogChanges(source.place.log, ending !== undefined, options.signal);
  let ended = ending === undefined;
  void ending?.then(() => {
    ended = true;
    changes.notify();
  });
  using _turns = source.rotation?.follow(() => {
    reader.openNext(false);
    changes.notify();
  });
  reader.begin(!ended);
  for (;;) {
    // Asked before reading: what is written after this is read in the next round.
    const last = ended;
    for (;;) {
      if (options.signal?.aborted) return;
      const lines = reader.read(last);
      if (lines === undefined) break;
      if (lines.length > 0) yield lines;
      if (reader.passed) return;
      // The event loop's other work has its turn between blocks.
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (last) break;
    await changes.next();
  }
  const left = reader.finish();
  if (left.length > 0) yield left;
}

class LogReader implements Disposable {
  readonly #source: LogSource;
  readonly #options: LogOptions;
  readonly #times: TimeRange;
  readonly #maker = new LineMaker();
  /** The file being read, then those that follow it. */
  #files: LogFile[] = [];
  #offset = 0;
  #rest: Buffer = Buffer.alloc(0);
  /** Where the last file ends, for who does not follow: a container that writes faster must not hold them for ever. */
  #stopAt = Number.POSITIVE_INFINITY;
  #follows = false;
  passed = false;

  constructor(source: LogSource, options: LogOptions) {
    this.#source = source;
    this.#options = options;
    this.#times = new TimeRange(options);
  }

  begin(follows: boolean): void {
    this.#follows = follows;
    this.#files = openLogFiles(this.#source.place, 0, !follows);
    const { tail } = this.#options;
    const starts = [
      ...(tail === undefined ? [] : [tailOf(this.#files, tail)]),
      ...(this.#options.since === undefined ? [] : [since(this.#files, this.#options.since)]),
    ].sort((a, b) => b.file - a.file || b.offset - a.offset);
    const start = starts[0] ?? { file: 0, offset: 0 };
    for (const file of this.#files.splice(0, start.file)) closeSync(file.fd);
    this.#offset = start.offset;
    const end = this.#files.at(-1);
    if (!follows && end !== undefined) this.#stopAt = fstatSync(end.fd).size;
  }

  /** Opens files that came since, before any of them loses its name. */
  openNext(settled: boolean): void {
    if (!this.#follows) return;
    this.#files.push(...openLogFiles(this.#source.place, this.#files.at(-1)?.number ?? 0, settled));
    const most = Math.max(2, Math.floor(heldBytes / this.#source.sizeMax));
    for (const lost of this.#files.splice(1, Math.max(0, this.#files.length - most))) closeSync(lost.fd);
  }

  /** The lines of one more block that are wanted; undefined when there is nothing new. */
  read(last: boolean): LogLine[] | undefined {
    for (;;) {
      if (this.#files.length === 0) this.openNext(last);
      const file = this.#files[0];
      if (file === undefined) return undefined;
      // Asked before reading: what is read then is all there will ever be.
      const complete = this.#files.length > 1 || last || liveInode(this.#source.place) !== file.inode;
      const lines = this.#block(file);
      if (lines !== undefined) return lines;
      if (!complete || !this.#goOn(file, last)) return undefined;
    }
  }

  /** Lines that never got their end. */
  finish(): LogLine[] {
    return this.#wanted(this.#maker.finish());
  }

  [Symbol.dispose](): void {
    for (const file of this.#files) closeSync(file.fd);
    this.#files = [];
  }

  #block(file: LogFile): LogLine[] | undefined {
    const end = this.#files.length === 1 ? this.#stopAt : Number.POSITIVE_INFINITY;
    const size = Math.min(blockSize, Math.min(end, fstatSync(file.fd).size) - this.#offset);
    if (size <= 0) return undefined;
    const kept = this.#rest.length;
    const block = Buffer.allocUnsafeSlow(kept + size);
    this.#rest.copy(block);
    const count = readSync(file.fd, block, kept, size, this.#offset);
    this.#offset += count;
    const lines: LogLine[] = [];
    const whole = block.subarray(0, kept + count);
    this.#rest = Buffer.from(whole.subarray(this.#maker.take(whole, lines)));
    return this.#wanted(lines);
  }

  /** To the next file; false when there is none yet. */
  #goOn(file: LogFile, last: boolean): boolean {
    if (this.#files.length === 1) {
      if (this.#follows) this.#files.push(...this.#after(file, last));
      if (this.#files.length === 1) return false;
    }
    closeSync(file.fd);
    this.#files.shift();
    this.#offset = 0;
    this.#rest = Buffer.alloc(0);
    return true;
  }

  #after(file: LogFile, last: boolean): LogFile[] {
    const found = openLogFiles(this.#source.place, file.number, last);
    const [first] = found;
    if (first === undefined || first.inode !== file.inode) return found;
    for (const same of found) closeSync(same.fd);
    return [];
  }

  #wanted(lines: LogLine[]): LogLine[] {
    const { stdout = true, stderr = true } = this.#options;
    if (stdout && stderr && this.#times.everything) return lines;
    const wanted: LogLine[] = [];
    for (const line of lines) {
      if (!this.#times.everything) {
        const place = this.#times.place(line.timestamp);
        if (place === "before") continue;
        if (place === "after") {
          this.passed = true;
          break;
        }
      }
      if (line.stream === "stdout" ? stdout : stderr) wanted.push(line);
    }
    return wanted;
  }
}
