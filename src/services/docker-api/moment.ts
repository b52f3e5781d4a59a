import { GantryError } from "#base/core/errors.ts";
import { parseDuration } from "#formats/docker/duration.ts";
import type { Call } from "./contract.ts";

/** "1700000000", "1700000000.5", RFC 3339 or a span ago ("1h30m"), as milliseconds since 1970. Error "invalid". */
export function moment(text: string, doing: string, now = Date.now()): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const span = parseDuration(text);
  if (span !== undefined) return now - span / 1e6;
  const parsed = Date.parse(text);
  if (!Number.isNaN(parsed)) return parsed;
  throw new GantryError("invalid", {
    doing,
    on: text,
    because: "it is neither seconds since 1970, an RFC 3339 time nor a span like 10m",
  });
}

/** A moment of the query in milliseconds. "until=0" is none, "since=0" is the beginning. Error "invalid". */
export function instant(call: Call, name: "since" | "until"): number | undefined {
  const text = call.query.get(name);
  if (text === null || text === "" || (text === "0" && name === "until")) return undefined;
  return moment(text, `read the query's ${name}`);
}
