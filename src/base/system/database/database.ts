import { constants, SQLiteError, Database as Sqlite } from "bun:sqlite";
import { type ErrorKind, GantryError, isKind } from "#base/core/errors.ts";
import { type Faults, noFaults } from "#base/core/faults.ts";
import type { Database, Value } from "./contract.ts";
import { Log } from "./log.ts";

export interface DatabaseOptions {
  readonly faults?: Faults;
  /** Asked when the disk is full. True: there is room again, and the write is tried once more. */
  readonly makeRoom?: () => boolean;
  /** False: the newest commits may be lost with the machine's power, never half of one. Default true. */
  readonly durable?: boolean;
  /** Writes the log's room once ahead: for a database that is open long and must never wait. */
  readonly logAhead?: boolean;
}

/** Opens or makes the file. `path` ":memory:" is for tests. Errors: "corrupt", "denied", "exhausted". */
export function openDatabase(path: string, options: DatabaseOptions = {}): Database {
  return new OpenDatabase(path, options);
}

class OpenDatabase implements Database {
  readonly path: string;
  readonly #sqlite: Sqlite;
  readonly #faults: Faults;
  readonly #makeRoom: () => boolean;
  readonly #log: Log | undefined;
  #depth = 0;

  constructor(path: string, options: DatabaseOptions) {
    const { faults = noFaults, makeRoom = () => false, durable = true, logAhead = false } = options;
    this.path = path;
    this.#faults = faults;
    this.#makeRoom = makeRoom;
    this.#sqlite = this.#guard(() => {
      const sqlite = new Sqlite(path, { create: true, strict: true });
      sqlite.run("PRAGMA journal_mode = WAL");
      // Each commit's sync is ours, behind it; SQLite still syncs where it copies the log back.
      sqlite.run("PRAGMA synchronous = NORMAL");
      sqlite.run("PRAGMA foreign_keys = ON");
      sqlite.run("PRAGMA busy_timeout = 5000");
      // The first read opens the log.
      sqlite.query("SELECT COUNT(*) FROM sqlite_master").get();
      return sqlite;
    });
    if (path === ":memory:" || !durable) return;
    this.#log = new Log(`${path}-wal`);
    if (!logAhead) return;
    this.#sqlite.fileControl(constants.SQLITE_FCNTL_PERSIST_WAL, 1);
    this.#log.fill();
  }

  all<Row extends object>(sql: string, ...values: Value[]): Row[] {
    return this.#guard(() => this.#sqlite.query<Row, Value[]>(sql).all(...values));
  }

  get<Row extends object>(sql: string, ...values: Value[]): Row | undefined {
    return this.#guard(() => this.#sqlite.query<Row, Value[]>(sql).get(...values) ?? undefined);
  }

  run(sql: string, ...values: Value[]): number {
    return this.#roomy(() => {
      const { changes } = this.#guard(() => this.#sqlite.query<object, Value[]>(sql).run(...values));
      if (this.#depth === 0) this.#log?.sync();
      return changes;
    });
  }

  transaction<T>(name: string, body: () => T): T {
    if (this.#depth > 0) return body();
    return this.#roomy(() => this.#transact(name, body));
  }

  #transact<T>(name: string, body: () => T): T {
    this.#guard(() => this.#sqlite.run("BEGIN IMMEDIATE"));
    this.#depth += 1;
    try {
      const result = body();
      this.#faults.at(`database.${name}.commit`);
      this.#guard(() => this.#sqlite.run("COMMIT"));
      this.#log?.sync();
      return result;
    } catch (error) {
      // After some errors SQLite has rolled back by itself.
      if (this.#sqlite.inTransaction) this.#sqlite.run("ROLLBACK");
      throw error;
    } finally {
      this.#depth -= 1;
    }
  }

  integrity(): string[] {
    const rows = this.all<{ integrity_check: string }>("PRAGMA integrity_check(100)");
    return rows.map((row) => row.integrity_check).filter((line) => line !== "ok");
  }

  [Symbol.dispose](): void {
    this.#sqlite.close();
    this.#log?.[Symbol.dispose]();
  }

  /** Inside a transaction it is the whole transaction that is tried again. */
  #roomy<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (this.#depth > 0 || !isKind(error, "exhausted") || !this.#makeRoom()) throw error;
      return work();
    }
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof SQLiteError)) throw error;
      throw new GantryError(kindOf(error), {
        doing: "use the database",
        on: this.path,
        because: error.message,
        cause: error,
        details: { sqlite: error.code ?? "" },
      });
    }
  }
}

function kindOf(error: SQLiteError): ErrorKind {
  const code = error.code ?? "";
  if (code.startsWith("SQLITE_FULL")) return "exhausted";
  if (code.startsWith("SQLITE_CORRUPT") || code.startsWith("SQLITE_NOTADB") || code.startsWith("SQLITE_IOERR"))
    return "corrupt";
  if (code.startsWith("SQLITE_CONSTRAINT")) return "conflict";
  if (code.startsWith("SQLITE_READONLY") || code.startsWith("SQLITE_CANTOPEN")) return "denied";
  return code.startsWith("SQLITE_BUSY") ? "unavailable" : "internal";
}
