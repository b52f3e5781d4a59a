import { GantryError } from "#base/core/errors.ts";

/** 1980-01-02T00:00:00Z: zip files and wheels cannot say anything earlier in every time zone. */
export const earliestLayerTime = 315_619_200;

/** The largest second a Date can hold, far beyond what a tar header is asked for. */
const latest = 253_402_300_799;

/** See builder.md, Times: what the user gives, else when the base was made, never before 1980-01-02. */
export function layerTimeOf(given: number | undefined, baseCreated: string | undefined): number {
  if (given !== undefined) return Math.max(given, earliestLayerTime);
  const created = baseCreated === undefined ? Number.NaN : Math.floor(Date.parse(baseCreated) / 1000);
  return Number.isFinite(created) && created <= latest ? Math.max(created, earliestLayerTime) : earliestLayerTime;
}

/** SOURCE_DATE_EPOCH as given by `--build-arg`. */
export function parseEpoch(text: string): number {
  if (/^\d{1,12}$/.test(text) && Number(text) <= latest) return Number(text);
  throw new GantryError("invalid", {
    doing: "read SOURCE_DATE_EPOCH",
    on: text,
    because: "it is no number of seconds since 1970",
    next: "Take one from `git log -1 --format=%ct` or `date +%s`.",
  });
}

/** RFC 3339 in seconds, as the image config has it. */
export function formatLayerTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}
