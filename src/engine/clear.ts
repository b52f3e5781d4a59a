import { rmSync } from "node:fs";
import { describe } from "#base/core/errors.ts";
import { defaultPlaces } from "#base/core/places.ts";
import { removeTree } from "#base/system/files/remove-tree.ts";
import { openHolder } from "#base/system/holder/mount-namespace.ts";
import { removeCgroups } from "./remove-cgroups.ts";

/** After the engine has stopped: removes the Holder, the run folder and the cgroups; with `data` the data root too. */
export function clear(data: boolean): number {
  const places = defaultPlaces(process.env, process.getuid?.() ?? 0);
  try {
    openHolder({ run: places.runRoot }).remove();
    removeCgroups();
    rmSync(places.runRoot, { recursive: true, force: true });
    if (data) removeTree(places.dataRoot);
    return 0;
  } catch (error) {
    process.stderr.write(`gantry: ${describe(error)}\n`);
    return 1;
  }
}
