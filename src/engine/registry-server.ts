import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { systemClock } from "#base/core/clock.ts";
import { describe } from "#base/core/errors.ts";
import { systemRandom } from "#base/core/random.ts";
import { openDatabase } from "#base/system/database/database.ts";
import { lockFile } from "#base/system/files/lock.ts";
import { openWorkerPool } from "#base/system/pool/worker-pool.ts";
import { openStore } from "#images/store/open-store.ts";
import type { WorkerEntries } from "./open-engine.ts";
import { openRegistries } from "./registries.ts";
import { unsavedAddresses } from "./saved-addresses.ts";

/** A registry alone, on its own data root, until a signal. No root, no containers. Gives the exit code. */
export async function serveRegistry(
  address: string,
  folder: string,
  workers: Pick<WorkerEntries, "bulk" | "registry">,
): Promise<number> {
  const onError = (error: unknown, what: string) => process.stderr.write(`${what}: ${describe(error)}\n`);
  try {
    const root = resolve(folder);
    mkdirSync(root, { recursive: true, mode: 0o700 });
    using _lock = lockFile(join(root, "lock"));
    using database = openDatabase(join(root, "gantry.db"));
    await using bulk = openWorkerPool({ name: "bulk", entry: workers.bulk, size: 1, keep: 0 });
    await using store = await openStore({ root, database, bulk });
    const ports = { clock: systemClock, random: systemRandom, onError };
    await using registries = openRegistries({
      store,
      database,
      worker: workers.registry,
      saved: unsavedAddresses(),
      ...ports,
    });
    const served = await registries.serve({ address });
    process.stdout.write(`Serving a registry at ${served.address} from ${root}\n`);
    await new Promise<void>((done) => {
      for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => done());
    });
    return 0;
  } catch (error) {
    process.stderr.write(`gantry: ${describe(error)}\n`);
    return 1;
  }
}
