import type { Command, Flag, Heredoc, KeyValue, Range, Word } from "./contract.ts";
import { leadingFlags } from "./flags.ts";
import { readHeredocs } from "./heredoc.ts";
import type { LogicalLine } from "./logical-line.ts";
import { nearest } from "./nearest.ts";
import { placeError, type Source } from "./place.ts";
import type { LineReader } from "./source.ts";
import { jsonStrings, quotedWords, type Span } from "./words.ts";

/** The flags an instruction knows: with a value, with an optional "true" or "false", or with a value many times. */
export type FlagKinds = Readonly<Record<string, "text" | "switch" | "list">>;

/** One instruction's line cut into keyword, flags and rest, with the means to say where something is wrong. */
export class InstructionLine {
  readonly source: Source;
  readonly line: LogicalLine;
  readonly keyword: string;
  readonly keywordRange: Range;
  readonly escape: string;
  rest: Span;
  flags: readonly Flag[] = [];
  heredocs: readonly Heredoc[] = [];
  /** A trigger's text without its ONBUILD. */
  readonly text: string;

  constructor(source: Source, line: LogicalLine, sign: string, offset = 0) {
    this.source = source;
    this.line = line;
    this.escape = sign;
    this.text = line.text.slice(offset);
    const word = /^\S*/.exec(this.text)![0];
    this.keyword = word.toUpperCase();
    this.keywordRange = line.range(offset, offset + word.length);
    const gap = /^\s*/.exec(this.text.slice(word.length))![0].length;
    const start = offset + word.length + gap;
    this.rest = { text: line.text.slice(start), start, end: line.text.length };
  }

  get range(): Range {
    const last = this.heredocs.at(-1)?.range.end;
    const whole = this.line.range(0, this.line.text.length);
    return last === undefined ? whole : { start: whole.start, end: last };
  }

  common() {
    return { range: this.range, text: this.text, flags: this.flags };
  }

  readHeredocs(reader: LineReader): void {
    this.heredocs = readHeredocs(this.line, reader);
  }

  takeFlags(kinds: FlagKinds): void {
    const { flags, rest } = leadingFlags(this.rest.text, this.escape);
    const base = this.rest.start;
    const seen = new Set<string>();
    this.flags = flags.map((raw) => {
      const range = this.line.range(base + raw.start, base + raw.end);
      const kind = Object.hasOwn(kinds, raw.name) ? kinds[raw.name] : undefined;
      if (kind === undefined) {
        const near = nearest(raw.name, Object.keys(kinds));
        const because = `${this.keyword} has no flag --${raw.name}`;
        throw placeError(this.source, range, because, near === undefined ? {} : { nearest: `--${near}` });
      }
      if (seen.has(raw.name) && kind !== "list") throw this.wrong(`--${raw.name} is given twice`, range);
      seen.add(raw.name);
      if (raw.value === undefined && kind !== "switch") throw this.wrong(`--${raw.name} needs a value`, range);
      if (kind === "switch" && raw.value !== undefined && !/^(true|false)$/i.test(raw.value)) {
        throw this.wrong(`--${raw.name} is ${JSON.stringify(raw.value)}, it can be true or false`, range);
      }
      return { name: raw.name, ...(raw.value === undefined ? {} : { value: raw.value }), range };
    });
    this.rest = { text: rest.text, start: base + rest.start, end: this.rest.end };
  }

  flag(name: string): Flag | undefined {
    return this.flags.find((flag) => flag.name === name);
  }
  flagText(name: string): string | undefined {
    return this.flag(name)?.value;
  }
  flagSwitch(name: string): boolean | undefined {
    const flag = this.flag(name);
    return flag === undefined ? undefined : flag.value?.toLowerCase() !== "false";
  }
  flagList(name: string): string[] {
    return this.flags.filter((flag) => flag.name === name).map((flag) => flag.value ?? "");
  }

  word(span: Span): Word {
    return { text: span.text, range: this.line.range(span.start, span.end) };
  }

  /** The whole rest as one word. Nothing there is an error. */
  single(): Word {
    if (this.rest.text === "") throw this.wrong(`${this.keyword} needs a value`);
    return this.word(this.rest);
  }

  /** `a=b "c"=d`; with `legacy` also the old `name rest of the line`. */
  pairs(options: { readonly legacy: boolean; readonly valueOptional: boolean }): KeyValue[] {
    const words = quotedWords(this.rest.text, this.escape, this.rest.start);
    const first = words[0];
    if (first === undefined) throw this.wrong(`${this.keyword} needs at least one name`);
    if (options.legacy && !first.text.includes("=")) {
      const after = this.rest.text.slice(first.end - this.rest.start);
      const value = after.trimStart();
      if (value === "")
        throw this.wrong(`${this.keyword} ${first.text} has no value`, this.line.range(first.start, first.end));
      const start = first.end + (after.length - value.length);
      return [{ name: this.word(first), value: this.word({ text: value, start, end: this.rest.end }) }];
    }
    return words.map((word) => {
      const equals = word.text.indexOf("=");
      const range = this.line.range(word.start, word.end);
      if (equals < 0 && !options.valueOptional) {
        throw placeError(this.source, range, `${JSON.stringify(word.text)} has no =`, {
          next: `Write ${this.keyword} name=value; quote a value that has blanks.`,
        });
      }
      const nameEnd = equals < 0 ? word.end : word.start + equals;
      if (equals === 0) throw this.wrong("the name before = is empty", range);
      const name = this.word({ text: beforeEquals(word.text, equals), start: word.start, end: nameEnd });
      if (equals < 0) return { name };
      const value = { text: word.text.slice(equals + 1), start: nameEnd + 1, end: word.end };
      return { name, value: this.word(value) };
    });
  }

  /** Exec form when the rest is a JSON array of strings, else shell form. */
  command(rest: Span = this.rest): Command {
    const words = jsonStrings(rest.text);
    return words === undefined ? { form: "shell", line: rest.text } : { form: "exec", words };
  }

  wrong(because: string, range: Range = this.keywordRange, next?: string) {
    return placeError(this.source, range, because, next === undefined ? {} : { next });
  }
}

function beforeEquals(text: string, equals: number): string {
  return equals < 0 ? text : text.slice(0, equals);
}
