import { GantryError } from "#base/core/errors.ts";

/**
 * The part of Go's text/template that people write after `--format`: fields, `json`, `join`, `upper`, `lower`,
 * `title`, `println`, `len`, `index`, `eq`, `ne`, `if`/`else`, `range`, with pipes and parentheses left out.
 */
type Piece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "value"; readonly pipe: readonly Invocation[] }
  | {
      readonly kind: "if";
      readonly test: readonly Invocation[];
      readonly yes: readonly Piece[];
      readonly no: readonly Piece[];
    }
  | { readonly kind: "range"; readonly over: readonly Invocation[]; readonly body: readonly Piece[] };

type Invocation = readonly string[];

export type Template = (value: unknown) => string;

/** Errors: "invalid" for a template that does not parse. */
export function compile(source: string): Template {
  const tokens = tokenise(source);
  const [pieces, at] = parse(tokens, 0, source);
  if (at !== tokens.length) throw bad(source, `{{${tokens[at]?.text}}} stands alone`);
  return (value) => render(pieces, value, source);
}

interface Token {
  readonly action: boolean;
  readonly text: string;
}

function bad(source: string, because: string): GantryError {
  return new GantryError("invalid", { doing: "read the format", on: source, because });
}

function tokenise(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let trimNext = false;
  const text = (raw: string, trimEnd: boolean) => {
    // Only outside of actions: inside, a quoted text has its own escapes.
    const unescaped = raw.replace(/\\t/g, "\t").replace(/\\n/g, "\n");
    const begun = trimNext ? unescaped.trimStart() : unescaped;
    const trimmed = trimEnd ? begun.trimEnd() : begun;
    if (trimmed !== "") tokens.push({ action: false, text: trimmed });
  };
  for (const match of source.matchAll(/\{\{(-\s)?\s*((?:"(?:[^"\\]|\\.)*"|.)*?)\s*?(\s-)?\}\}/gs)) {
    text(source.slice(at, match.index), match[1] !== undefined);
    tokens.push({ action: true, text: match[2]!.trim() });
    trimNext = match[3] !== undefined;
    at = match.index + match[0].length;
  }
  const rest = source.slice(at);
  if (rest.includes("{{")) throw bad(source, "a {{ has no }}");
  text(rest, false);
  return tokens;
}

function words(text: string, source: string): Invocation[] {
  return text.split("|").map((part) => {
    const found = part.trim().match(/"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"']+/g);
    if (found === null) throw bad(source, "an action is empty");
    return found;
  });
}

function parse(tokens: readonly Token[], start: number, source: string): [Piece[], number] {
  const pieces: Piece[] = [];
  let at = start;
  while (at < tokens.length) {
    const token = tokens[at]!;
    if (!token.action) {
      pieces.push({ kind: "text", text: token.text });
      at += 1;
      continue;
    }
    const head = token.text.split(/\s+/, 1)[0]!;
    if (head === "end" || head === "else") return [pieces, at];
    if (head === "if" || head === "range") {
      const subject = words(token.text.slice(head.length), source);
      const [body, next] = parse(tokens, at + 1, source);
      let otherwise: Piece[] = [];
      let end = next;
      if (tokens[next]?.text === "else") [otherwise, end] = parse(tokens, next + 1, source);
      if (tokens[end]?.text !== "end") throw bad(source, `a {{${head}}} has no {{end}}`);
      pieces.push(
        head === "if"
          ? { kind: "if", test: subject, yes: body, no: otherwise }
          : { kind: "range", over: subject, body },
      );
      at = end + 1;
      continue;
    }
    pieces.push({ kind: "value", pipe: words(token.text, source) });
    at += 1;
  }
  return [pieces, at];
}

function render(pieces: readonly Piece[], dot: unknown, source: string): string {
  return pieces.map((piece) => renderPiece(piece, dot, source)).join("");
}

function renderPiece(piece: Piece, dot: unknown, source: string): string {
  switch (piece.kind) {
    case "text":
      return piece.text;
    case "value":
      return show(evaluate(piece.pipe, dot, source));
    case "if":
      return render(truthy(evaluate(piece.test, dot, source)) ? piece.yes : piece.no, dot, source);
    case "range": {
      const over = evaluate(piece.over, dot, source);
      const items = Array.isArray(over) ? over : typeof over === "object" && over !== null ? Object.values(over) : [];
      return items.map((item) => render(piece.body, item, source)).join("");
    }
  }
}

function truthy(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

function show(value: unknown): string {
  if (value === undefined || value === null) return "<no value>";
  if (Array.isArray(value)) return `[${value.map(show).join(" ")}]`;
  if (typeof value === "object") {
    return `map[${Object.entries(value)
      .map(([key, item]) => `${key}:${show(item)}`)
      .join(" ")}]`;
  }
  return String(value);
}

function evaluate(pipe: readonly Invocation[], dot: unknown, source: string): unknown {
  let carried: unknown;
  pipe.forEach((invocation, index) => {
    const args = invocation.slice(1).map((word) => operand(word, dot, source));
    if (index > 0) args.push(carried);
    carried = call(invocation[0]!, args, dot, source);
  });
  return carried;
}

function operand(word: string, dot: unknown, source: string): unknown {
  if (word.startsWith('"')) return quoted(word, source);
  if (word.startsWith("'")) return word.slice(1, -1);
  if (/^-?\d+$/.test(word)) return Number(word);
  if (word.startsWith(".")) return field(dot, word);
  if (word === "true" || word === "false") return word === "true";
  throw bad(source, `${word} is no field, text or number`);
}

function quoted(word: string, source: string): unknown {
  try {
    return JSON.parse(word);
  } catch {
    throw bad(source, `${word} is no text`);
  }
}

function field(dot: unknown, path: string): unknown {
  let value = dot;
  for (const name of path.split(".").filter((part) => part !== "")) {
    if (typeof value !== "object" || value === null) return undefined;
    value = own(value, name);
  }
  return value;
}

/** What the value holds itself; nothing of JavaScript's own. */
function own(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}

const functions: Readonly<Record<string, (args: readonly unknown[]) => unknown>> = {
  json: ([value]) => JSON.stringify(value ?? null),
  join: ([list, separator]) =>
    Array.isArray(list)
      ? list.join(String(separator ?? ""))
      : Array.isArray(separator)
        ? separator.join(String(list))
        : "",
  upper: ([text]) => String(text).toUpperCase(),
  lower: ([text]) => String(text).toLowerCase(),
  title: ([text]) => String(text).replace(/\b\w/g, (letter) => letter.toUpperCase()),
  println: (args) => `${args.map(show).join(" ")}\n`,
  len: ([value]) =>
    Array.isArray(value) || typeof value === "string" ? value.length : Object.keys((value as object) ?? {}).length,
  index: ([value, ...keys]) => keys.reduce((inner: unknown, key) => own(inner, String(key)), value),
  eq: ([a, ...others]) => others.includes(a),
  ne: ([a, b]) => a !== b,
  not: ([value]) => !truthy(value),
  truncate: ([text, length]) => String(text).slice(0, Number(length)),
};

function call(name: string, args: readonly unknown[], dot: unknown, source: string): unknown {
  if (name.startsWith(".") || name.startsWith('"')) return operand(name, dot, source);
  const fn = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (fn === undefined) throw bad(source, `there is no function ${name}`);
  return fn(args);
}
