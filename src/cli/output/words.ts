import { span } from "#formats/docker/span.ts";

/** "12.3MB": decimal units with at most four digits, as Docker's tables write sizes. */
export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${Number(value.toPrecision(3))}${units[unit]}`;
}

/** The first 12 hex digits of an id or a digest. */
export function shortId(id: string): string {
  return id.replace(/^sha(256|512):/, "").slice(0, 12);
}

/** "3 minutes ago" of seconds since 1970. */
export function ago(seconds: number, now = Date.now()): string {
  return `${span(now - seconds * 1000)} ago`;
}

/** The cell of a LABELS column. */
export function labelsCell(labels: Readonly<Record<string, string>> | null): string {
  return Object.entries(labels ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
}
