/**
 * A shell pattern (`*`, `?`, `\x`) as the source of a regular expression. `*` is as short as possible unless
 * `greedy`. Brackets mean themselves, as in BuildKit.
 */
function patternSource(pattern: string, greedy: boolean): string {
  let out = "";
  for (let index = 0; index < pattern.length; index++) {
    const char = pattern[index]!;
    if (char === "*") out += greedy ? "[^]*" : "[^]*?";
    else if (char === "?") out += "[^]";
    else if (char === "\\" && index + 1 < pattern.length) {
      index += 1;
      out += literal(pattern[index]!);
    } else out += literal(char);
  }
  return out;
}

function literal(char: string): string {
  return char.replace(/[\\^$.*+?()[\]{}|/-]/, "\\$&");
}

/** `${v#p}` and `${v##p}`. */
export function withoutPrefix(value: string, pattern: string, longest: boolean): string {
  const match = new RegExp(`^(?:${patternSource(pattern, longest)})`).exec(value);
  return match === null ? value : value.slice(match[0].length);
}

/** `${v%p}` and `${v%%p}`: the shortest or longest end that matches. */
export function withoutSuffix(value: string, pattern: string, longest: boolean): string {
  const whole = new RegExp(`^(?:${patternSource(pattern, true)})$`);
  // The shortest end is found from the back, the longest from the front.
  for (let step = 0; step <= value.length; step++) {
    const at = longest ? step : value.length - step;
    if (whole.test(value.slice(at))) return value.slice(0, at);
  }
  return value;
}

/** `${v/p/r}` and `${v//p/r}`; the match is the longest at its place. */
export function replaced(value: string, pattern: string, replacement: string, all: boolean): string {
  if (pattern === "") return value;
  return value.replace(new RegExp(patternSource(pattern, true), all ? "g" : ""), () => replacement);
}
