import type { Heredoc } from "./contract.ts";
import type { LogicalLine } from "./logical-line.ts";
import { placeError } from "./place.ts";
import type { LineReader } from "./source.ts";
import { quotedWords } from "./words.ts";

/** `<<NAME` as it stands in a line, before its body is read. */
interface Opening {
  readonly name: string;
  readonly expand: boolean;
  readonly chomp: boolean;
  readonly descriptor?: number;
  readonly start: number;
  readonly end: number;
}

// The name ends where the shell ends a word: `<<EOF|sort` opens EOF.
const openingPattern = /^(\d*)<<(-?)(?:"([^"]+)"|'([^']+)'|((?:\\.|[^\s;&|<>()"'$`\\])+))(?:$|[;&|<>()])/;

/** The opening a word is, or undefined: `<<EOF`, `<<-EOF`, `<<"EOF"`, `3<<EOF`. */
function opening(word: string): Omit<Opening, "start" | "end"> | undefined {
  const match = openingPattern.exec(word);
  if (match === null) return undefined;
  const plain = match[5];
  const name = plain?.replace(/\\(.)/g, "$1") ?? match[3] ?? match[4]!;
  return {
    name,
    expand: name === plain,
    chomp: match[2] === "-",
    ...(match[1] === "" ? {} : { descriptor: Number(match[1]) }),
  };
}

/** Whether `text` is one heredoc's opening and nothing more. */
export function isOneHeredoc(text: string): boolean {
  return (
    opening(text.trim()) !== undefined &&
    !/[;&|<>()]/.test(text.replace(/^\s*\d*<</, "").replace(/"[^"]*"|'[^']*'/, ""))
  );
}

/** Reads the bodies of all heredocs `line` opens, in order. A missing end is an error at the opening. */
export function readHeredocs(line: LogicalLine, reader: LineReader): Heredoc[] {
  if (!line.text.includes("<<")) return [];
  const heredocs: Heredoc[] = [];
  for (const word of quotedWords(line.text, "\\")) {
    const open = opening(word.text);
    if (open !== undefined) heredocs.push(readBody({ ...open, start: word.start, end: word.end }, line, reader));
  }
  return heredocs;
}

function readBody(open: Opening, line: LogicalLine, reader: LineReader): Heredoc {
  const lines: string[] = [];
  let firstLine: number | undefined;
  for (;;) {
    const raw = reader.readRaw();
    if (raw === undefined) {
      throw placeError(reader.source, line.range(open.start, open.end), `heredoc ${open.name} is never closed`, {
        next: `Write a line that is only ${open.name} after its text.`,
      });
    }
    firstLine ??= raw.line;
    const candidate = open.chomp ? raw.text.replace(/^\t+/, "") : raw.text;
    if (candidate === open.name) {
      return {
        name: open.name,
        expand: open.expand,
        chomp: open.chomp,
        ...(open.descriptor === undefined ? {} : { descriptor: open.descriptor }),
        body: lines.join(""),
        range: { start: { line: firstLine, column: 1 }, end: { line: raw.line, column: raw.text.length + 1 } },
      };
    }
    lines.push(`${raw.text}\n`);
  }
}

/** A heredoc's text as the step sees it before expansion: tabs off when it is `<<-`. */
export function heredocText(heredoc: Heredoc): string {
  return heredoc.chomp ? heredoc.body.replace(/^\t+/gm, "") : heredoc.body;
}
