import type { Database } from "#base/system/database/contract.ts";
import { migrate } from "#base/system/database/migrate.ts";
import type { Digest } from "#formats/oci/contract.ts";
import type { LeaseStore } from "#images/store/contract.ts";
import type { Catalogue, LinkedManifest } from "./contract.ts";
import { Recent } from "./recent.ts";
import { registrySchema } from "./schema.ts";

/** The pins that keep a repository's content from collection; a repository's name has no blank. */
const blobOwner = (repository: string) => `registry blobs ${repository}`;
const manifestOwner = (repository: string) => `registry manifests ${repository}`;

/** How long a blob that someone was told of stays without a manifest that names it. */
const recentMs = 3600 * 1000;
const linked = "(expires IS NULL OR expires > ?)";

/** The catalogue in the engine's database. `now` in milliseconds since 1970. */
export class RowCatalogue implements Catalogue {
  readonly #database: Database;
  readonly #leases: LeaseStore;
  readonly #now: () => number;
  readonly #recent: Recent;

  constructor(database: Database, leases: LeaseStore, now: () => number) {
    migrate(database, "registry", registrySchema);
    this.#database = database;
    this.#leases = leases;
    this.#now = now;
    this.#recent = new Recent(recentMs, now);
  }

  repositories(limit: number, last = ""): string[] {
    return this.#names(
      "SELECT DISTINCT repository AS name FROM registry_manifests WHERE repository > ? ORDER BY repository LIMIT ?",
      last,
      limit,
    );
  }

  hasRepository(repository: string): boolean {
    return ["registry_manifests", "registry_blobs"].some(
      (table) => this.#database.get(`SELECT 1 FROM ${table} WHERE repository = ? LIMIT 1`, repository) !== undefined,
    );
  }

  tags(repository: string, limit: number, last = ""): string[] {
    return this.#names(
      "SELECT tag AS name FROM registry_tags WHERE repository = ? AND tag > ? ORDER BY tag LIMIT ?",
      repository,
      last,
      limit,
    );
  }

  tag(repository: string, tag: string): Digest | undefined {
    const sql = "SELECT digest FROM registry_tags WHERE repository = ? AND tag = ?";
    return this.#database.get<{ digest: Digest }>(sql, repository, tag)?.digest;
  }

  manifest(repository: string, digest: Digest): LinkedManifest | undefined {
    const sql = "SELECT body FROM registry_manifests WHERE repository = ? AND digest = ?";
    const row = this.#database.get<{ body: string }>(sql, repository, digest);
    return row === undefined ? undefined : (JSON.parse(row.body) as LinkedManifest);
  }

  hasBlob(repository: string, digest: Digest): boolean {
    const sql = `SELECT 1 FROM registry_blobs WHERE repository = ? AND digest = ? AND ${linked}`;
    return this.#database.get(sql, repository, digest, this.#now()) !== undefined;
  }

  holders(digest: Digest, limit: number): string[] {
    const sql = `SELECT repository AS name FROM registry_blobs WHERE digest = ? AND ${linked} LIMIT ?`;
    return this.#names(sql, digest, this.#now(), limit);
  }

  touchBlob(repository: string, digest: Digest): void {
    this.#recent.touch(`${repository} ${digest}`);
    const sql = "SELECT 1 FROM registry_blobs WHERE repository = ? AND digest = ? AND expires IS NOT NULL";
    if (this.#database.get(sql, repository, digest) === undefined) return;
    this.#database.transaction("registry.keep-blob", () => this.#expire(repository, digest, this.#now() + recentMs));
  }

  linkBlob(repository: string, digest: Digest): void {
    this.#database.transaction("registry.link-blob", () => this.#link(repository, digest));
  }

  unlinkBlob(repository: string, digest: Digest): boolean {
    return this.#database.transaction("registry.unlink-blob", () => {
      const there = this.hasBlob(repository, digest);
      this.#unlink(repository, digest);
      return there;
    });
  }

  putManifest(repository: string, manifest: LinkedManifest, tag: string | undefined): void {
    const { digest } = manifest;
    this.#database.transaction("registry.put-manifest", () => {
      this.#leases.pin(manifestOwner(repository), { blob: digest });
      const put = "INSERT OR REPLACE INTO registry_manifests VALUES (?, ?, ?, ?)";
      this.#database.run(put, repository, digest, manifest.subject ?? null, JSON.stringify(manifest));
      for (const blob of manifest.blobs) {
        this.#link(repository, blob);
        this.#database.run("INSERT OR IGNORE INTO registry_references VALUES (?, ?, ?)", repository, blob, digest);
      }
      if (tag !== undefined)
        this.#database.run("INSERT OR REPLACE INTO registry_tags VALUES (?, ?, ?)", repository, tag, digest);
    });
  }

  deleteManifest(repository: string, digest: Digest): boolean {
    const database = this.#database;
    return database.transaction("registry.delete-manifest", () => {
      const row = "DELETE FROM registry_manifests WHERE repository = ? AND digest = ?";
      const gone = database.run(row, repository, digest) > 0;
      database.run("DELETE FROM registry_tags WHERE repository = ? AND digest = ?", repository, digest);
      this.#leases.unpin(manifestOwner(repository), { blob: digest });
      const of = "FROM registry_references WHERE repository = ? AND manifest = ?";
      const named = database.all<{ blob: Digest }>(`SELECT blob ${of}`, repository, digest);
      database.run(`DELETE ${of}`, repository, digest);
      for (const { blob } of named) this.#release(repository, blob);
      return gone;
    });
  }

  deleteTag(repository: string, tag: string): boolean {
    return this.#database.run("DELETE FROM registry_tags WHERE repository = ? AND tag = ?", repository, tag) > 0;
  }

  referrers(repository: string, subject: Digest, last = ""): LinkedManifest[] {
    const sql =
      "SELECT body FROM registry_manifests WHERE repository = ? AND subject = ? AND digest > ? ORDER BY digest";
    return this.#database
      .all<{ body: string }>(sql, repository, subject, last)
      .map(({ body }) => JSON.parse(body) as LinkedManifest);
  }

  uploads(): { id: string; repository: string }[] {
    return this.#database.all("SELECT id, repository FROM registry_uploads");
  }

  beginUpload(id: string, repository: string): void {
    this.#database.transaction("registry.begin-upload", () =>
      this.#database.run("INSERT INTO registry_uploads VALUES (?, ?)", id, repository),
    );
  }

  endUpload(id: string): void {
    this.#database.transaction("registry.end-upload", () => this.#forgetUpload(id));
  }

  finishUpload(id: string, repository: string, digest: Digest): void {
    this.#database.transaction("registry.finish-upload", () => {
      this.#link(repository, digest);
      this.#forgetUpload(id);
    });
    this.#recent.touch(`${repository} ${digest}`);
  }

  #names(sql: string, ...values: (string | number)[]): string[] {
    return this.#database.all<{ name: string }>(sql, ...values).map(({ name }) => name);
  }

  #forgetUpload(id: string): void {
    this.#database.run("DELETE FROM registry_uploads WHERE id = ?", id);
  }

  #link(repository: string, digest: Digest): void {
    this.#leases.pin(blobOwner(repository), { blob: digest });
    this.#database.run("INSERT OR REPLACE INTO registry_blobs VALUES (?, ?, NULL)", repository, digest);
  }

  #unlink(repository: string, digest: Digest): void {
    this.#database.run("DELETE FROM registry_blobs WHERE repository = ? AND digest = ?", repository, digest);
    this.#leases.unpin(blobOwner(repository), { blob: digest });
  }

  #expire(repository: string, digest: Digest, expires: number): void {
    const sql = "UPDATE registry_blobs SET expires = ? WHERE repository = ? AND digest = ?";
    this.#database.run(sql, expires, repository, digest);
    this.#leases.pin(blobOwner(repository), { blob: digest }, expires);
  }

  /** A manifest that named the blob is gone: so is the blob's link, unless another names it or someone is about to. */
  #release(repository: string, digest: Digest): void {
    const others = "SELECT 1 FROM registry_references WHERE repository = ? AND blob = ? LIMIT 1";
    if (this.#database.get(others, repository, digest) !== undefined || !this.hasBlob(repository, digest)) return;
    const until = this.#recent.until(`${repository} ${digest}`);
    if (until === undefined) this.#unlink(repository, digest);
    else this.#expire(repository, digest, until);
  }
}
