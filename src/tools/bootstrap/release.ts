/** What a suite's Release file says of itself. */
export interface Release {
  readonly origin: string | undefined;
  /** Seconds since 1970. */
  readonly date: number | undefined;
}

/** A Release or InRelease file; only the fields before the list of files are read. */
export function parseRelease(text: string): Release {
  const field = (name: string) => new RegExp(`^${name}:[ \\t]*(.+)$`, "m").exec(text)?.[1]?.trim();
  const date = Date.parse(field("Date") ?? "");
  return { origin: field("Origin"), date: Number.isNaN(date) ? undefined : Math.floor(date / 1000) };
}
