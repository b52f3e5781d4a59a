import { join } from "node:path";
import type { Database, MigrationStep } from "#base/system/database/contract.ts";
import { migrate } from "#base/system/database/migrate.ts";
import type { CreateVolume, VolumeRecord } from "./contract.ts";

const steps: readonly MigrationStep[] = [
  `CREATE TABLE volumes (name TEXT PRIMARY KEY, labels TEXT NOT NULL, options TEXT NOT NULL, anonymous INTEGER NOT NULL,
     created INTEGER NOT NULL) WITHOUT ROWID`,
  // A renamed volume keeps its folder: nothing that is mounted from it moves.
  "ALTER TABLE volumes ADD COLUMN folder TEXT",
  "UPDATE volumes SET folder = name",
];

interface Row {
  readonly name: string;
  readonly labels: string;
  readonly options: string;
  readonly anonymous: number;
  readonly created: number;
  readonly folder: string;
}

/** The volumes' rows. */
export class VolumeTable {
  readonly #database: Database;
  readonly #root: string;

  constructor(database: Database, root: string) {
    this.#database = database;
    this.#root = root;
    migrate(database, "volumes", steps);
  }

  get(name: string): VolumeRecord | undefined {
    const row = this.#database.get<Row>("SELECT * FROM volumes WHERE name = ?", name);
    return row === undefined ? undefined : this.#record(row);
  }

  all(): VolumeRecord[] {
    return this.#database.all<Row>("SELECT * FROM volumes ORDER BY name").map((row) => this.#record(row));
  }

  folders(): Set<string> {
    const rows = this.#database.all<{ folder: string }>("SELECT folder FROM volumes");
    return new Set(rows.map((row) => row.folder));
  }

  insert(name: string, folder: string, request: CreateVolume, created: number): VolumeRecord {
    this.#database.run(
      "INSERT INTO volumes (name, labels, options, anonymous, created, folder) VALUES (?, ?, ?, ?, ?, ?)",
      name,
      JSON.stringify(request.labels ?? {}),
      JSON.stringify(request.options ?? {}),
      request.anonymous === true ? 1 : 0,
      created,
      folder,
    );
    return this.get(name)!;
  }

  /** Who gives it a name wants to keep it. */
  rename(name: string, to: string): void {
    this.#database.run("UPDATE volumes SET name = ?, anonymous = 0 WHERE name = ?", to, name);
  }

  delete(name: string): void {
    this.#database.run("DELETE FROM volumes WHERE name = ?", name);
  }

  #record(row: Row): VolumeRecord {
    return {
      name: row.name,
      path: join(this.#root, row.folder, "_data"),
      labels: JSON.parse(row.labels) as Record<string, string>,
      options: JSON.parse(row.options) as Record<string, string>,
      anonymous: row.anonymous === 1,
      created: row.created,
    };
  }
}
