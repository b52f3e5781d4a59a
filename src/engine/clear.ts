import { existsSync, rmSync } from "node:fs";
import { describe, GantryError } from "#base/core/errors.ts";
import { defaultPlaces, type Places } from "#base/core/places.ts";
import { selfCommand } from "#base/core/self.ts";
import { removeTree } from "#base/system/files/remove-tree.ts";
import type { Holder } from "#base/system/holder/contract.ts";
import { openHolder } from "#base/system/holder/open-holder.ts";
import { engineEnvironment } from "./engine-environment.ts";
import { removeCgroups } from "./remove-cgroups.ts";

/** After the engine has stopped: removes the Holder, the run folder and the cgroups; with `data` the data root too. */
export function clear(data: boolean): Promise<number> {
  return told(async (places, uid) => {
    const holder = openHolder(places.runRoot, uid);
    if (data && uid !== 0) await removeInside(holder, places);
    await holder.remove();
    if (uid === 0) removeCgroups();
    rmSync(places.runRoot, { recursive: true, force: true });
    if (data) removeTree(places.dataRoot);
  });
}

/** The next engine makes another. */
export function endHolder(): Promise<number> {
  return told(({ runRoot }, uid) => openHolder(runRoot, uid).remove());
}

/** Inside the Holder. */
export function removeData(): Promise<number> {
  return told(async ({ dataRoot }) => void removeTree(dataRoot));
}

/** Files of containers' users belong to ids that are the user's only inside. */
async function removeInside(holder: Holder, places: Places): Promise<void> {
  if (!existsSync(places.dataRoot)) return;
  await holder.make();
  const removed = Bun.spawnSync([...holder.prefix, ...selfCommand(), "engine", "remove-data"], {
    cwd: "/",
    env: engineEnvironment(places),
    stdio: ["ignore", "ignore", "pipe"],
  });
  if (removed.exitCode === 0) return;
  const because = removed.stderr.toString().trim() || `exit code ${removed.exitCode}`;
  throw new GantryError("internal", { doing: "remove the data root", on: places.dataRoot, because });
}

/** The exit code; a failure is told on standard error. */
async function told(work: (places: Places, uid: number) => Promise<void>): Promise<number> {
  const uid = process.getuid?.() ?? 0;
  try {
    await work(defaultPlaces(process.env, uid), uid);
    return 0;
  } catch (error) {
    process.stderr.write(`gantry: ${describe(error)}\n`);
    return 1;
  }
}
