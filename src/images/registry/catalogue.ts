import type { Database, MigrationStep } from "#base/system/database/contract.ts";
import { migrate } from "#base/system/database/migrate.ts";
import type { Digest } from "#formats/oci/contract.ts";
import type { LeaseStore } from "#images/store/contract.ts";
import type { Catalogue, LinkedManifest } from "./contract.ts";

const steps: readonly MigrationStep[] = [
  `CREATE TABLE registry_blobs (repository TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (repository, digest)) WITHOUT ROWID;
   CREATE TABLE registry_manifests (repository TEXT NOT NULL, digest TEXT NOT NULL, subject TEXT, body TEXT NOT NULL,
     PRIMARY KEY (repository, digest)) WITHOUT ROWID;
   CREATE INDEX registry_subjects ON registry_manifests (repository, subject) WHERE subject IS NOT NULL;
   CREATE TABLE registry_tags (repository TEXT NOT NULL, tag TEXT NOT NULL, digest TEXT NOT NULL,
     PRIMARY KEY (repository, tag)) WITHOUT ROWID;`,
];

/** The pin that keeps a repository's content from collection. */
const owner = (repository: string) => `registry ${repository}`;

export function openCatalogue(database: Database, leases: LeaseStore): Catalogue {
  migrate(database, "registry", steps);
  const names = (rows: readonly { name: string }[]) => rows.map((row) => row.name);

  function linkBlob(repository: string, digest: Digest): void {
    leases.pin(owner(repository), { blob: digest });
    database.run("INSERT OR IGNORE INTO registry_blobs VALUES (?, ?)", repository, digest);
  }

  function unlinkBlob(repository: string, digest: Digest): boolean {
    const gone = database.run("DELETE FROM registry_blobs WHERE repository = ? AND digest = ?", repository, digest) > 0;
    if (gone) leases.unpin(owner(repository), { blob: digest });
    return gone;
  }

  return {
    repositories: (limit, last) =>
      names(
        database.all(
          "SELECT DISTINCT repository AS name FROM registry_manifests WHERE repository > ? ORDER BY repository LIMIT ?",
          last ?? "",
          limit,
        ),
      ),
    hasRepository: (repository) =>
      database.get("SELECT 1 AS found FROM registry_manifests WHERE repository = ? LIMIT 1", repository) !==
        undefined ||
      database.get("SELECT 1 AS found FROM registry_blobs WHERE repository = ? LIMIT 1", repository) !== undefined,
    tags: (repository, limit, last) =>
      names(
        database.all(
          "SELECT tag AS name FROM registry_tags WHERE repository = ? AND tag > ? ORDER BY tag LIMIT ?",
          repository,
          last ?? "",
          limit,
        ),
      ),
    tag: (repository, tag) =>
      database.get<{ digest: Digest }>(
        "SELECT digest FROM registry_tags WHERE repository = ? AND tag = ?",
        repository,
        tag,
      )?.digest,
    manifest: (repository, digest) => {
      const row = database.get<{ body: string }>(
        "SELECT body FROM registry_manifests WHERE repository = ? AND digest = ?",
        repository,
        digest,
      );
      return row === undefined ? undefined : (JSON.parse(row.body) as LinkedManifest);
    },
    hasBlob: (repository, digest) =>
      database.get("SELECT 1 AS found FROM registry_blobs WHERE repository = ? AND digest = ?", repository, digest) !==
      undefined,
    linkBlob: (repository, digest) => database.transaction("registry.link-blob", () => linkBlob(repository, digest)),
    unlinkBlob: (repository, digest) =>
      database.transaction("registry.unlink-blob", () => unlinkBlob(repository, digest)),
    putManifest: (repository, manifest, tag) =>
      database.transaction("registry.put-manifest", () => {
        linkBlob(repository, manifest.digest);
        database.run(
          "INSERT OR REPLACE INTO registry_manifests VALUES (?, ?, ?, ?)",
          repository,
          manifest.digest,
          manifest.subject ?? null,
          JSON.stringify(manifest),
        );
        if (tag !== undefined)
          database.run("INSERT OR REPLACE INTO registry_tags VALUES (?, ?, ?)", repository, tag, manifest.digest);
      }),
    deleteManifest: (repository, digest) =>
      database.transaction("registry.delete-manifest", () => {
        const gone =
          database.run("DELETE FROM registry_manifests WHERE repository = ? AND digest = ?", repository, digest) > 0;
        database.run("DELETE FROM registry_tags WHERE repository = ? AND digest = ?", repository, digest);
        unlinkBlob(repository, digest);
        return gone;
      }),
    deleteTag: (repository, tag) =>
      database.run("DELETE FROM registry_tags WHERE repository = ? AND tag = ?", repository, tag) > 0,
    referrers: (repository, subject) =>
      database
        .all<{ body: string }>(
          "SELECT body FROM registry_manifests WHERE repository = ? AND subject = ? ORDER BY digest",
          repository,
          subject,
        )
        .map((row) => JSON.parse(row.body) as LinkedManifest),
  };
}
