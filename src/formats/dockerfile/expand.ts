import { replaced, withoutPrefix, withoutSuffix } from "./pattern.ts";

/** A variable's value, or undefined when it is not set. */
export type Lookup = (name: string) => string | undefined;

/** What was wrong inside a word; the caller knows the place and makes it a GantryError. */
export class ExpansionError extends Error {
  override readonly name = "ExpansionError";
}

/** Deeper nesting is an attack, not a Dockerfile. */
const maximumDepth = 100;
/** A value may double itself with each ARG; past this it is an accident. */
const maximumLength = 16 * 1024 * 1024;

/** Expands variables, takes off quotes and escapes; one word comes out, whatever blanks the values hold. */
export function expandWord(text: string, lookup: Lookup, sign: string): string {
  return new Expander(text, lookup, sign).run(undefined, false).joined;
}

/** As {@link expandWord}, but blanks outside quotes separate words, also those that come out of a variable. */
export function expandWords(text: string, lookup: Lookup, sign: string): string[] {
  return new Expander(text, lookup, sign).run(undefined, false).words;
}

/** Expands variables only: quotes and escapes stay (heredoc bodies of COPY, where only `\$` is special). */
export function expandHeredoc(text: string, lookup: Lookup, sign: string): string {
  return new Expander(text, lookup, sign, false).run(undefined, false).joined;
}

/** Collects the text as a whole and as words at once. */
class Collector {
  joined = "";
  readonly words: string[] = [];
  #word: string | undefined;

  /** Text whose blanks separate words. */
  loose(text: string): void {
    this.joined += text;
    if (this.joined.length > maximumLength) throw new ExpansionError("the expanded value is too long");
    for (const char of text) {
      if (/\s/.test(char)) this.endWord();
      else this.#word = (this.#word ?? "") + char;
    }
  }

  /** Text that belongs to the word whatever is in it. */
  tight(text: string): void {
    this.joined += text;
    if (this.joined.length > maximumLength) throw new ExpansionError("the expanded value is too long");
    this.#word = (this.#word ?? "") + text;
  }

  endWord(): void {
    if (this.#word !== undefined) this.words.push(this.#word);
    this.#word = undefined;
  }
}

class Expander {
  readonly #text: string;
  readonly #lookup: Lookup;
  readonly #sign: string;
  readonly #quotes: boolean;
  #at = 0;
  #depth = 0;

  constructor(text: string, lookup: Lookup, sign: string, quotes = true) {
    this.#text = text;
    this.#lookup = lookup;
    this.#sign = sign;
    this.#quotes = quotes;
  }

  /** Reads up to `stop`, or to the end. `rawEscapes` keeps the escape sign, for patterns. */
  run(stop: string | undefined, rawEscapes: boolean): Collector {
    const out = new Collector();
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at]!;
      if (char === stop) {
        this.#at += 1;
        out.endWord();
        return out;
      }
      if (char === "$") out.loose(this.#dollar());
      else if (this.#quotes && char === "'") out.tight(this.#singleQuoted());
      else if (this.#quotes && char === '"') out.tight(this.#doubleQuoted(rawEscapes));
      else if (char === this.#sign) this.#escaped(out, rawEscapes);
      else {
        this.#at += 1;
        out.loose(char);
      }
    }
    if (stop !== undefined) throw new ExpansionError(stop === "}" ? "a closing } is missing" : `a ${stop} is missing`);
    out.endWord();
    return out;
  }

  #escaped(out: Collector, rawEscapes: boolean): void {
    const next = this.#text[this.#at + 1];
    this.#at += 2;
    if (next === undefined) {
      if (rawEscapes || !this.#quotes) out.tight(this.#sign);
    } else if (rawEscapes) out.tight(this.#sign + next);
    else if (this.#quotes || next === "$" || next === this.#sign) out.tight(next);
    else out.tight(this.#sign + next);
  }

  #singleQuoted(): string {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end < 0) throw new ExpansionError("a single quote is not closed");
    const inside = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return inside;
  }

  #doubleQuoted(rawEscapes: boolean): string {
    let out = "";
    this.#at += 1;
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at]!;
      if (char === '"') {
        this.#at += 1;
        return out;
      }
      if (char === "$") {
        out += this.#dollar();
        continue;
      }
      this.#at += 1;
      const next = this.#text[this.#at];
      if (char !== this.#sign || next === undefined) out += char;
      else if (next === '"' || next === "$" || next === this.#sign) {
        out += rawEscapes ? char + next : next;
        this.#at += 1;
      } else out += char;
    }
    throw new ExpansionError("a double quote is not closed");
  }

  #dollar(): string {
    this.#at += 1;
    if (this.#text[this.#at] !== "{") {
      const name = this.#name();
      return name === "" ? "$" : (this.#lookup(name) ?? "");
    }
    this.#at += 1;
    this.#depth += 1;
    if (this.#depth > maximumDepth) throw new ExpansionError(`variables are nested more than ${maximumDepth} deep`);
    const value = this.#braced();
    this.#depth -= 1;
    return value;
  }

  #braced(): string {
    const name = this.#name();
    const next = this.#text[this.#at];
    if (next === undefined) throw new ExpansionError("a closing } is missing");
    if (name === "") throw new ExpansionError("${ is not followed by a name");
    this.#at += 1;
    const value = this.#lookup(name);
    if (next === "}") return value ?? "";
    if (next === "/") return this.#replacement(value ?? "");
    if (next === "#" || next === "%") return this.#trimmed(value ?? "", next);
    const emptyIsUnset = next === ":";
    const operator = emptyIsUnset ? this.#text[this.#at++] : next;
    const isSet = value !== undefined && !(emptyIsUnset && value === "");
    if (operator !== "-" && operator !== "+" && operator !== "?") {
      throw new ExpansionError(`unknown modifier ${emptyIsUnset ? ":" : ""}${operator ?? ""} in \${${name}...}`);
    }
    const word = this.run("}", false).joined;
    if (operator === "-") return isSet ? value : word;
    if (operator === "+") return isSet ? word : "";
    if (isSet) return value;
    const state = value === undefined ? "is not set" : "is empty";
    throw new ExpansionError(`${name} ${state}${word === "" ? "" : `: ${word}`}`);
  }

  #trimmed(value: string, end: "#" | "%"): string {
    const longest = this.#text[this.#at] === end;
    if (longest) this.#at += 1;
    const pattern = this.run("}", true).joined;
    return end === "#" ? withoutPrefix(value, pattern, longest) : withoutSuffix(value, pattern, longest);
  }

  #replacement(value: string): string {
    const all = this.#text[this.#at] === "/";
    if (all) this.#at += 1;
    const pattern = this.run("/", true).joined;
    return replaced(value, pattern, this.run("}", false).joined, all);
  }

  /** A name, a run of digits, or one of the shell's special parameters. */
  #name(): string {
    const match = /^(?:\d+|[@*#?$!-]|[\p{L}_][\p{L}\d_]*)/u.exec(this.#text.slice(this.#at, this.#at + 300));
    if (match === null) return "";
    this.#at += match[0].length;
    return match[0];
  }
}
