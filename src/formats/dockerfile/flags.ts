import type { Span } from "./words.ts";

/** `--name=value` as found before an instruction's words. */
export interface RawFlag {
  readonly name: string;
  readonly value: string | undefined;
  readonly start: number;
  readonly end: number;
}

/**
 * Takes the `--flags` off the front of an instruction's rest. A bare `--` ends them; quotes and escapes in a value are
 * taken off, as BuildKit does.
 */
export function leadingFlags(text: string, sign: string): { flags: RawFlag[]; rest: Span } {
  const flags: RawFlag[] = [];
  let at = 0;
  for (;;) {
    while (at < text.length && /\s/.test(text[at]!)) at += 1;
    if (!text.startsWith("--", at)) break;
    const word = flagWord(text, at, sign);
    const start = at;
    at = word.end;
    if (word.text === "--") break;
    const equals = word.text.indexOf("=");
    flags.push({
      name: equals < 0 ? word.text.slice(2) : word.text.slice(2, equals),
      value: equals < 0 ? undefined : word.text.slice(equals + 1),
      start,
      end: word.end,
    });
  }
  while (at < text.length && /\s/.test(text[at]!)) at += 1;
  return { flags, rest: { text: text.slice(at), start: at, end: text.length } };
}

function flagWord(text: string, start: number, sign: string): Span {
  let out = "";
  let quote = "";
  let at = start;
  for (; at < text.length; at++) {
    const char = text[at]!;
    if (quote === "" && /\s/.test(char)) break;
    if (char === sign && at + 1 < text.length && quote !== "'") {
      at += 1;
      out += text[at]!;
    } else if (quote === "" && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = "";
    else out += char;
  }
  return { text: out, start, end: at };
}
