import { type ErrorKind, GantryError } from "#base/core/errors.ts";
import type { Position, Range } from "./contract.ts";

/** The source, as far as an error needs it. */
export interface Source {
  readonly file: string;
  readonly lines: readonly string[];
}

/** How much of a long line an excerpt shows. */
const excerptWidth = 100;

/** The line of a place with a caret below it; long lines are cut around the caret. */
export function excerpt(lines: readonly string[], position: Position): string {
  const line = (lines[position.line - 1] ?? "").replaceAll("\t", " ");
  const at = Math.min(position.column - 1, line.length);
  const from = at < excerptWidth - 10 ? 0 : at - excerptWidth / 2;
  const shown = line.slice(from, from + excerptWidth);
  const prefix = `${position.line} | `;
  return `${prefix}${shown}\n${" ".repeat(prefix.length + at - from)}^`;
}

/** An error at a place of a Dockerfile: "Cannot read the Dockerfile "x": line 3, column 1: because\n3 | ...". */
export function placeError(
  source: Source,
  range: Range,
  because: string,
  more: { readonly next?: string; readonly nearest?: string; readonly kind?: ErrorKind; readonly doing?: string } = {},
): GantryError {
  const { line, column } = range.start;
  const shown = excerpt(source.lines, range.start);
  const hint = more.nearest === undefined ? "" : `; did you mean ${more.nearest}?`;
  return new GantryError(more.kind ?? "invalid", {
    doing: more.doing ?? "read the Dockerfile",
    on: source.file,
    because: `line ${line}, column ${column}: ${because}${hint}\n${shown}${more.next === undefined ? "" : "\n"}`,
    ...(more.next === undefined ? {} : { next: more.next }),
    details: {
      file: source.file,
      line,
      column,
      excerpt: shown,
      ...(more.nearest === undefined ? {} : { nearest: more.nearest }),
    },
  });
}
