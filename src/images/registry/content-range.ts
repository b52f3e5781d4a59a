/** Half-open: bytes [start, end). */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * A chunk's place, "0-99" as the specification writes it or "bytes 0-99/…" as RFC 9110 does. Undefined: no header;
 * "invalid": not to be read.
 */
export function contentRange(header: string | null): ByteRange | "invalid" | undefined {
  if (header === null) return undefined;
  const match = /^(?:bytes[= ])?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/.exec(header.trim());
  if (match === null) return "invalid";
  const range = { start: Number(match[1]), end: Number(match[2]) + 1 };
  return range.end > range.start ? range : "invalid";
}

/** One range of bytes to read (RFC 9110, 14.1.2). Several, or a form we do not know: undefined, the whole is sent. */
export function requestedRange(header: string | null, size: number): ByteRange | "unsatisfiable" | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "");
  if (match === null || (match[1] === "" && match[2] === "")) return undefined;
  if (match[1] === "") {
    const length = Number(match[2]);
    return length === 0 || size === 0 ? "unsatisfiable" : { start: Math.max(0, size - length), end: size };
  }
  const start = Number(match[1]);
  if (match[2] !== "" && Number(match[2]) < start) return undefined;
  const end = match[2] === "" ? size : Math.min(size, Number(match[2]) + 1);
  return start >= size ? "unsatisfiable" : { start, end };
}
