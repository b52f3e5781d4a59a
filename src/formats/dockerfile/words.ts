/** A word and where it stands in its joined line. */
export interface Span {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const space = /\s/;

/** Words between blanks; quotes and escapes mean nothing here (FROM, EXPOSE, COPY). */
export function blankSeparated(text: string, offset = 0): Span[] {
  const words: Span[] = [];
  for (const match of text.matchAll(/\S+/g)) {
    words.push({ text: match[0], start: offset + match.index, end: offset + match.index + match[0].length });
  }
  return words;
}

/** Words between blanks outside quotes; quotes and escapes stay in the words (ENV, LABEL, ARG). */
export function quotedWords(text: string, sign: string, offset = 0): Span[] {
  const words: Span[] = [];
  let start = -1;
  let quote = "";
  for (let index = 0; index < text.length; index++) {
    const char = text[index]!;
    if (start < 0) {
      if (space.test(char)) continue;
      start = index;
    }
    if (quote === "" && space.test(char)) {
      words.push({ text: text.slice(start, index), start: offset + start, end: offset + index });
      start = -1;
    } else if (char === sign && quote !== "'") index += 1;
    else if (quote === "" && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = "";
  }
  if (start >= 0) words.push({ text: text.slice(start), start: offset + start, end: offset + text.length });
  return words;
}

/** `["a", "b"]` as its strings; undefined when the text is no JSON array of strings, as in shell form. */
export function jsonStrings(text: string): string[] | undefined {
  if (!text.trimStart().startsWith("[")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  } catch {
    return undefined;
  }
  return undefined;
}

/** The words of a JSON list with their places, for instructions that expand each (COPY ["a b", "c"]). */
export function jsonSpans(text: string, offset: number): Span[] | undefined {
  const strings = jsonStrings(text);
  if (strings === undefined) return undefined;
  const places = [...text.matchAll(/"(?:[^"\\]|\\.)*"/g)];
  return strings.map((value, index) => {
    const place = places[index];
    const start = offset + (place?.index ?? 0);
    return { text: value, start, end: start + (place?.[0].length ?? text.length) };
  });
}
