import { statfsSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";

const mebibyte = 1024 * 1024;
const most = 512 * mebibyte;

/** What must stay free: a twentieth of the file system, at most 512 MiB. Databases and logs need room to say so. */
export function watermark(size: number): number {
  return Math.min(size / 20, most);
}

/** Refuses work that would fill the disk under what runs. Error "exhausted", saying how much is free and what helps. */
export function requireSpace(dataRoot: string, doing: string): void {
  const { bsize, blocks, bavail } = statfsSync(dataRoot);
  const free = bavail * bsize;
  const least = watermark(blocks * bsize);
  if (free >= least) return;
  throw new GantryError("exhausted", {
    doing,
    because: `only ${Math.floor(free / mebibyte)} MiB are free at ${dataRoot}, and ${Math.ceil(least / mebibyte)} MiB are kept for what runs`,
    next: "Free some with: gantry prune",
  });
}
