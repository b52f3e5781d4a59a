import { lstatSync, type Stats } from "node:fs";
import { GantryError } from "./errors.ts";

/**
 * Refuses a folder that somebody else could have put there: in /tmp everybody may make the one we look for. One that
 * is not there yet is nobody's. Errors: "denied" naming the owner.
 */
export function requirePrivate(path: string, uid: number, status = statusOf(path)): void {
  if (status === undefined) return;
  const because = !status.isDirectory()
    ? "it is no folder"
    : status.uid !== uid
      ? `it belongs to user ${status.uid}`
      : (status.mode & 0o022) !== 0
        ? "others may write in it"
        : undefined;
  if (because === undefined) return;
  throw new GantryError("denied", {
    doing: "use the run folder",
    on: path,
    because,
    next: "Remove it, or name another folder in XDG_RUNTIME_DIR or GANTRY_RUN_ROOT.",
  });
}

function statusOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}
