import { GantryError } from "#base/core/errors.ts";

/** "512m" as bytes (binary units, as docker's flags). Error "invalid", naming the flag. */
export function parseSize(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d+(?:\.\d+)?)\s*([kmgtp]?)(?:i?b)?$/i.exec(text);
  if (match === null) {
    throw new GantryError("invalid", {
      doing: `read --${flag}`,
      on: text,
      because: "it is no size",
      next: `For example: --${flag} 512m`,
    });
  }
  const power = ["", "k", "m", "g", "t", "p"].indexOf(match[2]!.toLowerCase());
  return Math.round(Number(match[1]) * 1024 ** power);
}
