import { GantryError } from "#base/core/errors.ts";
import type { Directives } from "./contract.ts";
import { LogicalLine } from "./logical-line.ts";
import { placeError, type Source } from "./place.ts";

/** Above this a file is no Dockerfile but an accident or an attack. */
const maximumBytes = 32 * 1024 * 1024;

/** Bytes as lines, without line ends. A file in UTF-16 (PowerShell's `>` writes it) is refused with words. */
export function sourceLines(bytes: Uint8Array | string, file: string): Source & { readonly lines: string[] } {
  if (bytes.length > maximumBytes) {
    throw new GantryError("invalid", {
      doing: "read the Dockerfile",
      on: file,
      because: `it has ${bytes.length} bytes, the limit is ${maximumBytes}`,
    });
  }
  if (
    typeof bytes !== "string" &&
    ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
  ) {
    throw new GantryError("invalid", {
      doing: "read the Dockerfile",
      on: file,
      because: "it is UTF-16",
      next: "Save it as UTF-8.",
    });
  }
  const text = typeof bytes === "string" ? bytes : new TextDecoder("utf-8").decode(bytes);
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  if (lines.at(-1) === "") lines.pop();
  return { file, lines: lines.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line)) };
}

const directivePattern = /^[ \t]*#[ \t]*([A-Za-z][A-Za-z0-9]*)[ \t]*=[ \t]*(.+?)[ \t]*$/;

/** `# syntax=`, `# escape=`, `# check=` at the very top; the first line that is none ends the search. */
export function parseDirectives(source: Source): Directives {
  const found = new Map<string, { value: string; line: number }>();
  const first = source.lines[0]?.startsWith("#!") ? 1 : 0;
  for (let index = first; index < source.lines.length; index++) {
    const match = directivePattern.exec(source.lines[index]!);
    if (match === null) break;
    const name = match[1]!.toLowerCase();
    if (name !== "syntax" && name !== "escape" && name !== "check") continue;
    if (found.has(name)) throw placeError(source, wholeLine(source, index), `directive ${name} is given twice`);
    found.set(name, { value: match[2]!, line: index });
  }
  const sign = found.get("escape");
  if (sign !== undefined && sign.value !== "\\" && sign.value !== "`") {
    throw placeError(
      source,
      wholeLine(source, sign.line),
      `escape is ${JSON.stringify(sign.value)}, it can be \\ or \``,
    );
  }
  const syntax = found.get("syntax")?.value;
  const check = found.get("check")?.value;
  return {
    escape: (sign?.value ?? "\\") as Directives["escape"],
    ...(syntax === undefined ? {} : { syntax }),
    ...(check === undefined ? {} : { check }),
  };
}

export function wholeLine(source: Source, index: number) {
  return {
    start: { line: index + 1, column: 1 },
    end: { line: index + 1, column: (source.lines[index] ?? "").length + 1 },
  };
}

const comment = /^[ \t]*#/;
const blank = /^[ \t]*$/;

/** Whether the line goes on, and the line without the sign that says so. Two escapes at the end are none. */
function continuation(line: string, sign: string): { text: string; goesOn: boolean } {
  let end = line.length;
  while (end > 0 && (line[end - 1] === " " || line[end - 1] === "\t")) end -= 1;
  if (end === 0 || line[end - 1] !== sign || line[end - 2] === sign) return { text: line, goesOn: false };
  return { text: line.slice(0, end - 1), goesOn: true };
}

/** Reads joined lines one after the other; heredoc bodies are read from it by the line. */
export class LineReader {
  readonly source: Source;
  readonly #escape: string;
  #next = 0;

  constructor(source: Source, sign: string) {
    this.source = source;
    this.#escape = sign;
  }

  /** The next instruction's line, or undefined at the end of the file. */
  read(): LogicalLine | undefined {
    const lines = this.source.lines;
    const parts: { text: string; line: number; column: number }[] = [];
    let goesOn = true;
    while (goesOn && this.#next < lines.length) {
      const raw = lines[this.#next]!;
      const number = this.#next + 1;
      this.#next += 1;
      // Comment lines and blank lines vanish between instructions and inside one.
      if (comment.test(raw) || blank.test(raw)) continue;
      const joined = continuation(raw, this.#escape);
      const indent = parts.length === 0 ? joined.text.length - joined.text.trimStart().length : 0;
      // A lone continuation sign starts nothing.
      if (parts.length === 0 && indent === joined.text.length) continue;
      goesOn = joined.goesOn;
      parts.push({ text: joined.text.slice(indent), line: number, column: indent + 1 });
    }
    const last = parts.at(-1);
    if (last === undefined) return undefined;
    last.text = last.text.trimEnd();
    return new LogicalLine(parts);
  }

  /** The next line of the file as it is; undefined at the end. */
  readRaw(): { text: string; line: number } | undefined {
    const text = this.source.lines[this.#next];
    if (text === undefined) return undefined;
    this.#next += 1;
    return { text, line: this.#next };
  }
}
