/** A path or a name as bytes: a string is UTF-8, bytes stay what they are (file names need not be UTF-8). */
export type Bytes = Uint8Array | string;

/**
 * A NUL-ended copy for a `const char *` argument. Hand the buffer itself to the call (type "ptr") so that it
 * stays alive until the call returns.
 */
export function cString(text: Bytes): Uint8Array {
  const bytes = typeof text === "string" ? Buffer.from(text, "utf8") : text;
  const out = new Uint8Array(bytes.length + 1);
  out.set(bytes);
  return out;
}
