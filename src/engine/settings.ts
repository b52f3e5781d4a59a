import type { Database } from "#base/system/database/contract.ts";
import { migrate } from "#base/system/database/migrate.ts";

/** What was set once and holds for every engine on this data root. Values are JSON. */
export interface Settings {
  get<T>(name: string): T | undefined;
  set(name: string, value: unknown): void;
}

export function openSettings(database: Database): Settings {
  migrate(database, "settings", ["CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT"]);
  return {
    get: <T>(name: string) => {
      const row = database.get<{ value: string }>("SELECT value FROM settings WHERE name = ?", name);
      return row === undefined ? undefined : (JSON.parse(row.value) as T);
    },
    set: (name, value) =>
      database.transaction(
        "settings.set",
        () => void database.run("INSERT OR REPLACE INTO settings VALUES (?, ?)", name, JSON.stringify(value)),
      ),
  };
}
