import type { Position, Range } from "./contract.ts";

/** Where in the file the characters of a joined line from `offset` on come from. */
interface Piece {
  readonly offset: number;
  readonly line: number;
  readonly column: number;
}

/** One instruction's line: continuations joined, comments and blank lines dropped, each character still placed. */
export class LogicalLine {
  readonly text: string;
  readonly #pieces: readonly Piece[];
  /** The last line of the file that is part of it. */
  readonly lastLine: number;

  constructor(parts: readonly { readonly text: string; readonly line: number; readonly column: number }[]) {
    const pieces: Piece[] = [];
    let offset = 0;
    for (const part of parts) {
      pieces.push({ offset, line: part.line, column: part.column });
      offset += part.text.length;
    }
    this.text = parts.map((part) => part.text).join("");
    this.#pieces = pieces;
    this.lastLine = parts.at(-1)!.line;
  }

  position(offset: number): Position {
    let low = 0;
    let high = this.#pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#pieces[middle]!.offset <= offset) low = middle;
      else high = middle - 1;
    }
    const piece = this.#pieces[low]!;
    return { line: piece.line, column: piece.column + offset - piece.offset };
  }

  /** The place of the characters from `start` up to `end`. */
  range(start: number, end: number = start): Range {
    // The end is placed after the last character, so that it stays on the line that character is on.
    const last = end > start ? this.position(end - 1) : undefined;
    const from = this.position(start);
    return { start: from, end: last === undefined ? from : { line: last.line, column: last.column + 1 } };
  }
}
