import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Places } from "#base/core/places.ts";
import { selfCommand } from "#base/core/self.ts";

/**
 * The lock of the data root is the engine's as long as it lives: who waits for it wakes the moment the engine is gone,
 * without a child to wait for and without looking.
 */
const loop = `
supervised=$1 stopped=$2 lock=$3
shift 3
while [ -e "$supervised" ] && [ ! -e "$stopped" ]; do
  flock "$lock" true
  if [ ! -e "$supervised" ] || [ -e "$stopped" ]; then break; fi
  "$@" engine launch || sleep 1
done
`;

/** Starts the supervisor unless one runs. A shell, since it has nothing to do but wait. */
export function superviseWhereWanted(places: Places): number | undefined {
  if (!existsSync(places.supervised)) return undefined;
  // -n: whoever finds the lock taken leaves it to the one that has it.
  const words = ["flock", "-n", join(places.runRoot, "supervisor.lock"), "sh", "-c", loop, "gantry-supervisor"];
  const child = Bun.spawn(
    [...words, places.supervised, places.stopped, join(places.dataRoot, "lock"), ...selfCommand()],
    {
      cwd: "/",
      env: {
        PATH: process.env.PATH ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        GANTRY_DATA_ROOT: places.dataRoot,
        GANTRY_RUN_ROOT: places.runRoot,
      },
      stdio: ["ignore", "ignore", "ignore"],
      detached: true,
    },
  );
  child.unref();
  return child.pid;
}
