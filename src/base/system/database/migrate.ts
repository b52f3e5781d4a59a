import { GantryError } from "#base/core/errors.ts";
import type { Database, MigrationStep } from "./contract.ts";

/**
 * Brings a room's tables to `steps.length`, each step once, all in one transaction. Error "unsupported": the file was
 * written by a newer program.
 */
export function migrate(database: Database, room: string, steps: readonly MigrationStep[]): void {
  if (database.get("SELECT 1 FROM sqlite_master WHERE name = 'schema_versions'") === undefined)
    database.run("CREATE TABLE schema_versions (room TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT");
  const row = database.get<{ version: number }>("SELECT version FROM schema_versions WHERE room = ?", room);
  const version = row?.version ?? 0;
  if (version === steps.length) return;
  if (version > steps.length)
    throw new GantryError("unsupported", {
      doing: "open the database",
      on: database.path,
      because: `its part "${room}" has version ${version}, this program knows ${steps.length}`,
      next: "Use the newer Gantry that wrote it, or another data root.",
    });
  database.transaction(`${room}.migrate`, () => {
    for (const step of steps.slice(version)) {
      if (typeof step === "string") database.run(step);
      else step(database);
    }
    database.run("INSERT OR REPLACE INTO schema_versions (room, version) VALUES (?, ?)", room, steps.length);
  });
}
