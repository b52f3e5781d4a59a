import type { MigrationStep } from "#base/system/database/contract.ts";

/** Tables of the room "registry". A link's `expires` is in milliseconds since 1970; NULL: until it is deleted. */
export const registrySchema: readonly MigrationStep[] = [
  (database) => {
    for (const table of [
      `CREATE TABLE registry_blobs (repository TEXT NOT NULL, digest TEXT NOT NULL, expires INTEGER,
         PRIMARY KEY (repository, digest)) STRICT, WITHOUT ROWID`,
      `CREATE INDEX registry_blob_holders ON registry_blobs (digest)`,
      `CREATE TABLE registry_manifests (repository TEXT NOT NULL, digest TEXT NOT NULL, subject TEXT, body TEXT NOT NULL,
         PRIMARY KEY (repository, digest)) STRICT, WITHOUT ROWID`,
      `CREATE INDEX registry_subjects ON registry_manifests (repository, subject, digest) WHERE subject IS NOT NULL`,
      `CREATE TABLE registry_references (repository TEXT NOT NULL, blob TEXT NOT NULL, manifest TEXT NOT NULL,
         PRIMARY KEY (repository, blob, manifest)) STRICT, WITHOUT ROWID`,
      `CREATE INDEX registry_referring ON registry_references (repository, manifest)`,
      `CREATE TABLE registry_tags (repository TEXT NOT NULL, tag TEXT NOT NULL, digest TEXT NOT NULL,
         PRIMARY KEY (repository, tag)) STRICT, WITHOUT ROWID`,
      `CREATE TABLE registry_uploads (id TEXT PRIMARY KEY, repository TEXT NOT NULL) STRICT`,
    ])
      database.run(table);
  },
];
