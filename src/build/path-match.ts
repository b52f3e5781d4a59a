import { GantryError } from "#base/core/errors.ts";

/** One name of a path pattern, as Go's filepath.Match has it: `*`, `?`, `[a-z]`, `[^a]`, `\x`. */
export interface NamePattern {
  /** The plain name, when no sign is in it. */
  readonly literal?: string;
  matches(name: string): boolean;
}

/** A path pattern by its names; "." and ".." are resolved, nothing leads above the root. */
export function pathPattern(path: string): NamePattern[] {
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "" || name === ".") continue;
    if (name === "..") names.pop();
    else names.push(name);
  }
  return names.map(namePattern);
}

export function namePattern(text: string): NamePattern {
  if (!/[*?[\\]/.test(text)) return { literal: text, matches: (name) => name === text };
  const pattern = compile(text);
  return { matches: (name) => pattern.test(name) };
}

function compile(text: string): RegExp {
  let source = "";
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (char === "*") source += source.endsWith("[^]*") ? "" : "[^]*";
    else if (char === "?") source += "[^]";
    else if (char === "[") {
      const close = classEnd(text, at);
      source += characterClass(text.slice(at + 1, close));
      at = close;
    } else if (char === "\\" && at + 1 < text.length) {
      at += 1;
      source += literal(text[at]!);
    } else source += literal(char);
  }
  try {
    return new RegExp(`^(?:${source})$`, "u");
  } catch {
    throw badPattern(text);
  }
}

function classEnd(text: string, open: number): number {
  // The first character after "[" or "[^" belongs to the class, whatever it is.
  const first = open + (text[open + 1] === "^" ? 2 : 1);
  for (let at = text[first] === "\\" ? first : first + 1; at < text.length; at++) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === "]") return at;
  }
  throw badPattern(text);
}

function characterClass(inside: string): string {
  const negated = inside.startsWith("^");
  const body = (negated ? inside.slice(1) : inside).replace(
    /\\(.)|([[\]^])/g,
    (_, escaped, sign) => `\\${escaped ?? sign}`,
  );
  return `[${negated ? "^" : ""}${body}]`;
}

function literal(char: string): string {
  return char.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
}

function badPattern(text: string): GantryError {
  return new GantryError("invalid", {
    doing: "match the files",
    on: text,
    because: "it is no valid pattern",
    next: "Put a backslash before a bracket that is part of a name.",
  });
}
