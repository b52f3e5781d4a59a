import { GantryError } from "#base/core/errors.ts";

/** `--filter status=exited` given any number of times, as the API's `filters`. Error "invalid". */
export function filterQuery(filters: readonly string[]): string | undefined {
  if (filters.length === 0) return undefined;
  const out = new Map<string, string[]>();
  for (const text of filters) {
    const at = text.indexOf("=");
    if (at < 1) {
      throw new GantryError("invalid", {
        doing: "read --filter",
        on: text,
        because: "it is not of the form name=value",
        next: "For example: --filter status=exited",
      });
    }
    const name = text.slice(0, at);
    out.set(name, [...(out.get(name) ?? []), text.slice(at + 1)]);
  }
  return JSON.stringify(Object.fromEntries(out));
}
