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
  return `${spanWords(span)} ago`;
}

/** Docker's words for a span of seconds. */
function spanWords(seconds: number): string {
  if (seconds < 1) return "Less than a second";
  if (seconds === 1) return "1 second";
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.round(seconds / 3600);
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(hours / 24 / 365)} years`;
}
