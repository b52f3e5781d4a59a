import { GantryError } from "#base/core/errors.ts";

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400 };

/** A moment or a span ago ("1h30m"), as seconds since 1970. Error "invalid". */
export function instantFlag(text: string | undefined, flag: string, now = Date.now()): string | undefined {
  if (text === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return text;
  if (/^(\d+(\.\d+)?[smhd])+$/.test(text)) {
    const seconds = [...text.matchAll(/(\d+(?:\.\d+)?)([smhd])/g)].reduce(
      (sum, part) => sum + Number(part[1]) * units[part[2]!]!,
      0,
    );
    return `${now / 1000 - seconds}`;
  }
  const parsed = Date.parse(text);
  if (!Number.isNaN(parsed)) return `${parsed / 1000}`;
  throw new GantryError("invalid", {
    doing: `read --${flag}`,
    on: text,
    because: "it is neither a time nor a span",
    next: `For example: --${flag} 10m or --${flag} 2026-01-31T12:00:00Z`,
  });
}
