import type { Database } from "#base/system/database/contract.ts";
import type { ContainerRecord } from "./contract.ts";

/** Steps for `migrate(database, "containers", steps)`; never edited once released. */
export const containerSchema: readonly string[] = [
  `CREATE TABLE containers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    record TEXT NOT NULL
  ) STRICT, WITHOUT ROWID`,
];

/** The containers' rows. `record` is the whole record as JSON; id and name stand beside it to be unique. */
export class ContainerTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  all(): ContainerRecord[] {
    return this.#database
      .all<{ record: string }>("SELECT record FROM containers ORDER BY created, id")
      .map((row) => JSON.parse(row.record) as ContainerRecord);
  }

  insert(record: ContainerRecord): void {
    this.#database.transaction("containers.create", () => {
      this.#database.run(
        "INSERT INTO containers (id, name, created, record) VALUES (?, ?, ?, ?)",
        record.id,
        record.name,
        record.created,
        JSON.stringify(record),
      );
    });
  }

  /** `step` names the write in the kill tests: "start", "exit". */
  update(step: string, record: ContainerRecord): void {
    this.#database.transaction(`containers.${step}`, () => {
      this.#database.run(
        "UPDATE containers SET name = ?, record = ? WHERE id = ?",
        record.name,
        JSON.stringify(record),
        record.id,
      );
    });
  }

  delete(id: string): void {
    this.#database.transaction("containers.remove", () => {
      this.#database.run("DELETE FROM containers WHERE id = ?", id);
    });
  }
}
