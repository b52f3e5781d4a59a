/** Go's zero time: "never". */
export const zeroTime = "0001-01-01T00:00:00Z";

/** RFC 3339 of milliseconds since 1970. */
export function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
