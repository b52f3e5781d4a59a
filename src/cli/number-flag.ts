import { GantryError } from "#base/core/errors.ts";

/** A flag's number; undefined when it was not given. Error "invalid". */
export function numberFlag(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new GantryError("invalid", { doing: `read --${flag}`, on: text, because: "it is no number" });
}
