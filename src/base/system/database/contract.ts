/**
 * One SQLite file with a write-ahead log that is synced at each commit: what a transaction committed survives power
 * loss, unless the file was opened otherwise. Only the engine opens it.
 * Rooms own their tables: each calls `migrate(database, "<room>", steps)` first. Content goes to disk first, then one
 * transaction names it; a transaction is synchronous and never spans an await.
 */

export type Value = string | number | bigint | Uint8Array | null;

export interface Database extends Disposable {
  readonly path: string;
  /** Every row. Statements are prepared once for each text. */
  all<Row extends object>(sql: string, ...values: Value[]): Row[];
  /** The first row. */
  get<Row extends object>(sql: string, ...values: Value[]): Row | undefined;
  /** How many rows changed. */
  run(sql: string, ...values: Value[]): number;
  /**
   * All of `body` or nothing, on disk when it returns. `name` ("images.tag") is the fault point
   * "database.<name>.commit", passed right before the commit. One inside another joins the outer.
   * Errors: what body threw; "exhausted" for a full disk; "corrupt" for a damaged file.
   */
  transaction<T>(name: string, body: () => T): T;
  /** Words of SQLite's own integrity check; empty when well. */
  integrity(): string[];
}

/** One forward step of a room's schema, run inside the migration's transaction. Never edited once released. */
export type MigrationStep = string | ((database: Database) => void);
