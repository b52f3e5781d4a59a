/** Go's zero time: "never". */
export const zeroTime = "0001-01-01T00:00:00Z";

/** RFC 3339 of milliseconds since 1970. */
export function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

const steps: readonly (readonly [limit: number, divisor: number, word: string])[] = [
  [46, 1, "minute"],
  [36 * 60, 60, "hour"],
  [14 * 24 * 60, 24 * 60, "day"],
  [60 * 24 * 60, 7 * 24 * 60, "week"],
  [730 * 24 * 60, 30 * 24 * 60, "month"],
];

/** "Less than a second", "5 seconds", "About a minute", "3 hours": a span as Docker's clients say it. */
export function age(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 1) return "Less than a second";
  if (seconds === 1) return "1 second";
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return "About a minute";
  if (minutes >= 46 && minutes < 90) return "About an hour";
  for (const [limit, divisor, word] of steps) {
    if (minutes < limit) {
      const count = Math.floor(minutes / divisor);
      return `${count} ${word}${count === 1 ? "" : "s"}`;
    }
  }
  return `${Math.floor(minutes / (365 * 24 * 60))} years`;
}
