import { fstatSync, readSync } from "node:fs";
import type { LogFile } from "./log-files.ts";
import { recordAt } from "./log-records.ts";

export interface LogPosition {
  /** Into the list of files. */
  readonly file: number;
  readonly offset: number;
}

const newline = 10;
const blockSize = 1024 * 1024;

/** Where the last `count` lines of all files begin: blocks are read from the end and ends of lines counted. */
export function tailOf(files: readonly LogFile[], count: number): LogPosition {
  const last = files.at(-1);
  if (count <= 0) return { file: files.length - 1, offset: last === undefined ? 0 : fstatSync(last.fd).size };
  const counter = { wanted: count, found: 0, last: true };
  for (let file = files.length - 1; file >= 0; file -= 1) {
    const offset = countBack(files[file]!, counter);
    if (offset !== undefined) return { file, offset };
  }
  return { file: 0, offset: 0 };
}

interface Counter {
  readonly wanted: number;
  found: number;
  /** The record looked at is the very last: it may be a line without an end. */
  last: boolean;
}

/** undefined when this file holds no more than what is wanted. */
function countBack({ fd }: LogFile, counter: Counter): number | undefined {
  let end = fstatSync(fd).size;
  while (end > 0) {
    const start = Math.max(0, end - blockSize);
    const block = Buffer.allocUnsafe(end - start);
    readSync(fd, block, 0, block.length, start);
    // The block's first record may begin before it: it is the next block's last.
    const first = start === 0 ? 0 : block.indexOf(newline) + 1;
    if (first === 0 && start > 0) return end;
    let recordEnd = block.lastIndexOf(newline) + 1;
    while (recordEnd > first) {
      const recordStart = block.lastIndexOf(newline, recordEnd - 2) + 1;
      const record = recordAt(block, recordStart, recordEnd);
      // A line ends with a full record; partial ones before it belong to it.
      if (record !== undefined && (record.full || counter.last)) {
        if (counter.found === counter.wanted) return start + recordEnd;
        counter.found += 1;
        counter.last = false;
      }
      recordEnd = recordStart;
    }
    end = start + first;
  }
  return undefined;
}

/** Longer than any record conmon writes (8 KiB and its head). */
const longestRecord = 16 * 1024;

/**
 * Where lines since a time (milliseconds) may begin, by halving and not by reading from the start. A log whose clock
 * was set back is not in order: lines there may be looked for in the wrong half.
 */
export function since(files: readonly LogFile[], time: number): LogPosition {
  let file = files.length - 1;
  while (file > 0 && (firstTime(files[file]!, 0)?.time ?? time) >= time) file -= 1;
  const within = files[file];
  if (within === undefined) return { file: 0, offset: 0 };
  let low = 0;
  let high = fstatSync(within.fd).size;
  while (high - low > longestRecord * 4) {
    const middle = low + Math.floor((high - low) / 2);
    const found = firstTime(within, middle);
    if (found !== undefined && found.offset < high && found.time < time) low = found.offset;
    else high = middle;
  }
  return { file, offset: low };
}

/** The first whole record at or behind `offset`. */
function firstTime({ fd }: LogFile, offset: number): { readonly offset: number; readonly time: number } | undefined {
  const buffer = Buffer.allocUnsafe(longestRecord * 2);
  const block = buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, offset));
  let start = offset === 0 ? 0 : block.indexOf(newline) + 1;
  if (start === 0 && offset > 0) return undefined;
  for (let at = block.indexOf(newline, start); at >= 0; at = block.indexOf(newline, start)) {
    const record = recordAt(block, start, at + 1);
    if (record !== undefined) {
      return { offset: offset + start, time: Date.parse(block.toString("latin1", start, record.timeEnd)) };
    }
    start = at + 1;
  }
  return undefined;
}
