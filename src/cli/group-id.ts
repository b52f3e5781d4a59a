import { readFileSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";

/** A group of this machine by name or number (group(5)). Error "not-found". */
export function groupId(group: string): number {
  if (/^\d+$/.test(group)) return Number(group);
  const line = readFileSync("/etc/group", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith(`${group}:`));
  const id = Number(line?.split(":")[2] ?? Number.NaN);
  if (Number.isInteger(id)) return id;
  throw new GantryError("not-found", { doing: "find the group", on: group, because: "this machine has none" });
}
