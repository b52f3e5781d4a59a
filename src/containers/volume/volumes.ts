import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "#base/core/clock.ts";
import { GantryError } from "#base/core/errors.ts";
import { type Faults, noFaults } from "#base/core/faults.ts";
import type { Random } from "#base/core/random.ts";
import type { Database, MigrationStep } from "#base/system/database/contract.ts";
import { migrate } from "#base/system/database/migrate.ts";
import type { CreateVolume, VolumeRecord, Volumes } from "./contract.ts";

export interface VolumesOptions {
  /** <data>/volumes. */
  readonly folder: string;
  readonly database: Database;
  readonly files: VolumeFiles;
  readonly clock: Clock;
  readonly random: Random;
  readonly faults?: Faults;
}

/** The narrow port to what walks whole trees, done in Workers. */
export interface VolumeFiles {
  remove(path: string): Promise<void>;
  /** Bytes of all files below. */
  measure(path: string): Promise<number>;
  /** Copies what `target` holds inside `rootfs` into `volume`, its own owner and mode too. Missing is no error. */
  fill(rootfs: string, target: string, volume: string): Promise<void>;
}

const steps: readonly MigrationStep[] = [
  `CREATE TABLE volumes (name TEXT PRIMARY KEY, labels TEXT NOT NULL, options TEXT NOT NULL, anonymous INTEGER NOT NULL,
     created INTEGER NOT NULL) WITHOUT ROWID`,
];

interface Row {
  readonly name: string;
  readonly labels: string;
  readonly options: string;
  readonly anonymous: number;
  readonly created: number;
}

const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/;

export function openVolumes(options: VolumesOptions): Volumes {
  const { folder, database, files, clock, random, faults = noFaults } = options;
  migrate(database, "volumes", steps);
  mkdirSync(folder, { recursive: true, mode: 0o711 });

  const home = (name: string) => join(folder, name);
  const record = (row: Row): VolumeRecord => ({
    name: row.name,
    path: join(home(row.name), "_data"),
    labels: JSON.parse(row.labels) as Record<string, string>,
    options: JSON.parse(row.options) as Record<string, string>,
    anonymous: row.anonymous === 1,
    created: row.created,
  });
  const get = (name: string): VolumeRecord | undefined => {
    const row = database.get<Row>("SELECT * FROM volumes WHERE name = ?", name);
    return row === undefined ? undefined : record(row);
  };

  async function drop(name: string): Promise<void> {
    faults.at("volumes.remove.forget");
    database.run("DELETE FROM volumes WHERE name = ?", name);
    await files.remove(home(name));
  }

  return {
    get,
    list: () => database.all<Row>("SELECT * FROM volumes ORDER BY name").map(record),
    create(request: CreateVolume) {
      const name = request.name ?? random.hex(32);
      if (!namePattern.test(name)) {
        throw new GantryError("invalid", {
          doing: "make the volume",
          on: name,
          because: "a name is letters, digits, _ . and -, and begins with a letter or digit",
          next: "For a folder of the host, name its absolute path.",
        });
      }
      if (Object.keys(request.options ?? {}).length > 0) {
        throw new GantryError("unsupported", {
          doing: "make the volume",
          on: name,
          because: "this engine's volumes take no driver options yet",
          next: "Mount the file system on the host and use a bind mount.",
        });
      }
      const known = get(name);
      if (known !== undefined) return { record: known, fresh: false };
      // The folder first: a row is never ahead of what it names.
      mkdirSync(join(home(name), "_data"), { recursive: true, mode: 0o755 });
      faults.at("volumes.create.name");
      database.run(
        "INSERT INTO volumes VALUES (?, ?, ?, ?, ?)",
        name,
        JSON.stringify(request.labels ?? {}),
        JSON.stringify(request.options ?? {}),
        request.anonymous === true ? 1 : 0,
        clock.now(),
      );
      return { record: get(name)!, fresh: true };
    },
    async remove(name, users) {
      if (get(name) === undefined) {
        throw new GantryError("not-found", {
          doing: "remove the volume",
          on: name,
          because: `get ${name}: no such volume`,
        });
      }
      if (users.length > 0) {
        throw new GantryError("conflict", {
          doing: "remove the volume",
          on: name,
          because: `volume is in use - [${users.join(", ")}]`,
          next: "Remove these containers first.",
        });
      }
      await drop(name);
    },
    async removeAnonymous(names) {
      for (const name of names) if (get(name)?.anonymous === true) await drop(name);
    },
    usage: (name) => files.measure(home(name)),
    async fill(name, rootfs, target) {
      const volume = get(name);
      if (volume !== undefined) await files.fill(rootfs, target, volume.path);
    },
  };
}

/** Folders without a row: what a crash between the two left. Called once, when the engine starts. */
export function clearUnnamedVolumes(folder: string, volumes: Volumes, entries: readonly string[]): void {
  for (const entry of entries)
    if (volumes.get(entry) === undefined) rmSync(join(folder, entry), { recursive: true, force: true });
}
