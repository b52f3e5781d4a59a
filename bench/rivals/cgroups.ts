import { existsSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import type { Undo } from "../contract.ts";

const top = "/sys/fs/cgroup";

/** Removes at the end the cgroup `name`, and what is in it, from every hierarchy where it is not yet. */
export function ownCgroup(undo: Undo, name: string): void {
  const places = [top, ...readdirSync(top).map((entry) => join(top, entry))].map((place) => join(place, name));
  const fresh = places.filter((place) => !existsSync(place));
  undo.add(`cgroup ${name}`, () => {
    for (const place of fresh) if (existsSync(place)) removeTree(place);
  });
}

function removeTree(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(path, entry.name));
  }
  rmdirSync(path);
}
