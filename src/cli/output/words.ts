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
  const span = Math.max(0, Math.floor(now / 1000 - seconds));
  const units: readonly (readonly [number, string])[] = [
    [365 * 86400, "year"],
    [30 * 86400, "month"],
    [7 * 86400, "week"],
    [86400, "day"],
    [3600, "hour"],
    [60, "minute"],
  ];
  for (const [length, word] of units) {
    // Weeks only from two on, months only from two on: "13 days ago" says more than "1 week ago".
    const least = word === "week" || word === "month" || word === "year" ? 2 : 1;
    if (span >= length * least) {
      const count = Math.floor(span / length);
      return `${count} ${word}${count === 1 ? "" : "s"} ago`;
    }
  }
  if (span < 1) return "Less than a second ago";
  return `${span} second${span === 1 ? "" : "s"} ago`;
}
