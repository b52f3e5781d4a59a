import type { MigrationStep } from "#base/system/database/contract.ts";

/** Tables of the room "images". Digests and chain IDs are text; times are milliseconds since 1970. */
export const storeSchema: readonly MigrationStep[] = [
  (database) => {
    for (const table of [
      `CREATE TABLE blobs (digest TEXT PRIMARY KEY, size INTEGER NOT NULL, created INTEGER NOT NULL) STRICT`,
      `CREATE TABLE images (target TEXT PRIMARY KEY, descriptor TEXT NOT NULL, created INTEGER NOT NULL) STRICT`,
      `CREATE TABLE image_names (name TEXT PRIMARY KEY,
         target TEXT NOT NULL REFERENCES images (target) ON DELETE CASCADE) STRICT`,
      `CREATE INDEX image_names_target ON image_names (target)`,
      // synced 0: written, not yet forced to disk; after a boot it is not to be trusted (boot is the kernel's boot id).
      `CREATE TABLE layers (chain_id TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, parent TEXT, diff_id TEXT NOT NULL,
         blob TEXT NOT NULL, size INTEGER NOT NULL, files INTEGER NOT NULL, created INTEGER NOT NULL,
         boot TEXT NOT NULL, synced INTEGER NOT NULL) STRICT`,
      `CREATE TABLE snapshots (key TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, parent TEXT, created INTEGER NOT NULL) STRICT`,
      `CREATE TABLE pins (owner TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, expires INTEGER,
         PRIMARY KEY (owner, kind, key)) STRICT`,
    ])
      database.run(table);
  },
];
