import type { Database } from "#base/system/database/contract.ts";
import type { NetworkRecord } from "./contract.ts";

/** Steps for `migrate(database, "networks", steps)`; never edited once released. */
export const networkSchema: readonly string[] = [
  `CREATE TABLE networks (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    record TEXT NOT NULL
  ) STRICT, WITHOUT ROWID`,
];

/** The networks' rows; endpoints are not here, they belong to those who hold them. */
export class NetworkTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  all(): NetworkRecord[] {
    return this.#database
      .all<{ record: string }>("SELECT record FROM networks")
      .map((row) => JSON.parse(row.record) as NetworkRecord)
      .sort((a, b) => a.created - b.created);
  }

  put(record: NetworkRecord): void {
    this.#database.transaction("networks.put", () => {
      this.#database.run(
        "INSERT OR REPLACE INTO networks (id, name, record) VALUES (?, ?, ?)",
        record.id,
        record.name,
        JSON.stringify(record),
      );
    });
  }

  delete(id: string): void {
    this.#database.transaction("networks.remove", () => {
      this.#database.run("DELETE FROM networks WHERE id = ?", id);
    });
  }
}
