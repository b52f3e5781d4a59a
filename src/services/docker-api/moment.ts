import { GantryError } from "#base/core/errors.ts";

const unit: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const span = /(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)/g;

/** "1700000000", "1700000000.5", RFC 3339 or a span ago ("1h30m"), as milliseconds since 1970. Error "invalid". */
export function moment(text: string, doing: string, now = Date.now()): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (text !== "" && text.replace(span, "") === "") {
    return [...text.matchAll(span)].reduce((at, part) => at - Number(part[1]) * unit[part[2]!]!, now);
  }
  const parsed = Date.parse(text);
  if (!Number.isNaN(parsed)) return parsed;
  throw new GantryError("invalid", {
    doing,
    on: text,
    because: "it is neither seconds since 1970, an RFC 3339 time nor a span like 10m",
  });
}
