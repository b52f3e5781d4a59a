import { GantryError } from "#base/core/errors.ts";

/** "name=value" words of a flag given several times; a bare name has an empty value. Error "invalid". */
export function pairs(entries: readonly string[], flag: string): Record<string, string> {
  return Object.fromEntries(
    entries.map((entry) => {
      const at = entry.indexOf("=");
      if (at === 0) {
        throw new GantryError("invalid", { doing: `read --${flag}`, on: entry, because: "it has no name" });
      }
      return at === -1 ? [entry, ""] : [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}
