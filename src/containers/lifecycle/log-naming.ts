import { closeSync, linkSync, openSync } from "node:fs";
import { join } from "node:path";
import type { ArrivalWork } from "#base/system/sockets/contract.ts";
import { type LogPlace, segmentPath, survey } from "./log-files.ts";

export function logPlace(folder: string): LogPlace {
  return { log: join(folder, "log"), nextLog: join(folder, "log.tmp"), segments: join(folder, "segments") };
}

/**
 * Gives the files of a log their second names, after conmon turned. In the attach Worker, which has nothing else to do
 * for long: the engine's own thread may be busy for longer than conmon needs for two small files. Only one thread may
 * do it while conmon writes: what is made ahead must never be the file conmon has just taken.
 */
export const logNaming: ArrivalWork = {
  name: "containers.name-log-files",
  run: (folder) => nameFiles(logPlace(folder)),
};

/** Idempotent; killed in its middle, the next call goes on. */
export function nameFiles(place: LogPlace): void {
  const { begun, current, named, ahead } = survey(place);
  if (current === undefined) return;
  if (!named && !linked(place.log, segmentPath(place, current))) return;
  if (ahead) return;
  makeEmpty(place.nextLog);
  // From the name conmon takes it by: if it has taken it already, this names nothing and the next call names "log".
  linked(place.nextLog, segmentPath(place, Math.max(current, begun.at(-1) ?? 0) + 2));
}

function makeEmpty(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    // conmon's own, about to become "log"; or the disk is full, and conmon makes its own when there is room.
    if (!["EEXIST", "ENOSPC"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

/** False: it has the name of another file by now, the disk is full, or the container is removed; it goes without. */
function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (["ENOENT", "EEXIST", "ENOSPC"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
  }
}
