import type { Segment } from "./contract.ts";
import { blockSize, corruptTar, readSize } from "./header.ts";
import { wholeNumber } from "./pax.ts";

/** Segments must ascend, not overlap, lie inside the file and add up to what is stored. Empty ones are dropped. */
export function checkSegments(segments: readonly Segment[], realSize: number, stored: number): Segment[] {
  let end = 0;
  let sum = 0;
  for (const segment of segments) {
    if (segment.offset < end) corruptTar("a sparse map's segments overlap or go back");
    end = segment.offset + segment.length;
    sum += segment.length;
    if (end > realSize) corruptTar("a sparse map reaches beyond the file's size");
  }
  if (sum !== stored) corruptTar(`a sparse map covers ${sum} bytes but ${stored} are stored`);
  return segments.filter((segment) => segment.length > 0);
}

/** The old GNU format's map: pairs of 12-byte numbers until an empty one. Gives whether the list ended in this block. */
export function readOldSparse(block: Uint8Array, at: number, count: number, into: Segment[], limit: number): void {
  for (let i = 0; i < count; i++) {
    const place = at + i * 24;
    // An all-NUL pair ends the list.
    if (block[place] === 0 && block[place + 12] === 0) return;
    into.push({ offset: readSize(block, place, 12), length: readSize(block, place + 12, 12) });
    if (into.length > limit) corruptTar(`a sparse file has more than ${limit} segments`);
  }
}

/** GNU sparse 1.0: the map precedes the data as decimal lines, padded to a block. Fed blocks until it is complete. */
export class SparseMapReader {
  readonly #limit: number;
  readonly #numbers: number[] = [];
  #line = "";
  #wanted: number | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The map when `block` completed it. */
  push(block: Uint8Array): Segment[] | undefined {
    for (let i = 0; i < blockSize; i++) {
      const byte = block[i]!;
      if (byte !== 0x0a) {
        this.#line += String.fromCharCode(byte);
        if (this.#line.length > 16) corruptTar("a number in a sparse map is too long");
        continue;
      }
      const value = wholeNumber(this.#line, "sparse number");
      this.#line = "";
      if (this.#wanted === undefined) {
        if (value > this.#limit) corruptTar(`a sparse file has more than ${this.#limit} segments`);
        this.#wanted = value * 2;
      } else this.#numbers.push(value);
      if (this.#numbers.length === this.#wanted) return this.#segments();
    }
    return undefined;
  }

  #segments(): Segment[] {
    const segments: Segment[] = [];
    for (let i = 0; i < this.#numbers.length; i += 2)
      segments.push({ offset: this.#numbers[i]!, length: this.#numbers[i + 1]! });
    return segments;
  }
}
