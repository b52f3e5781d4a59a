import type { Database, MigrationStep } from "#base/system/database/contract.ts";
import type { Digest } from "#formats/oci/contract.ts";
import { digestOf } from "#formats/oci/digest.ts";
import { layerFormat } from "#formats/tar/contract.ts";
import type { CachedStep } from "./contract.ts";
import type { BuiltLayer } from "./image-draft.ts";

/** What a step made: a layer over its parent, or nothing at all. */
export interface StepOutcome {
  readonly layer?: BuiltLayer;
  /** The chain after the step. */
  readonly chain?: Digest;
}

/**
 * Everything that decides what a step makes. Values are compared as JSON; secrets, cache mounts, proxies and the
 * places packages come from are no part of it.
 */
export interface StepInputs {
  readonly instruction: string;
  readonly parent: Digest | undefined;
  readonly platform: string;
  readonly layerTime: number;
  /** Words after expansion, environment, content digests, owner, mode: what this kind of step depends on. */
  readonly of: Readonly<Record<string, unknown>>;
}

/** Changes when a builder of old could have made something else of the same inputs. */
const builderFormat = 1;

export function stepKey(inputs: StepInputs): Digest {
  const { instruction, parent, platform, layerTime, of } = inputs;
  const ordered = Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1));
  const words = [builderFormat, layerFormat, instruction, parent ?? null, platform, layerTime, ordered];
  return digestOf(JSON.stringify(words));
}

export const cacheMigrations: readonly MigrationStep[] = [
  `CREATE TABLE steps (
     key TEXT PRIMARY KEY,
     outcome TEXT NOT NULL,
     used INTEGER NOT NULL
   ) STRICT`,
  `CREATE TABLE content (
     key TEXT PRIMARY KEY,
     value TEXT NOT NULL,
     used INTEGER NOT NULL
   ) STRICT`,
];

/** What earlier builds made, by key. Losing it costs time, never correctness. */
export class StepCache {
  readonly #database: Database;
  /** When what was found was used; written by `rememberUses`. */
  readonly #usedSteps = new Map<Digest, number>();
  readonly #usedContent = new Map<Digest, number>();

  constructor(database: Database) {
    this.#database = database;
  }

  find(key: Digest, now: number): StepOutcome | undefined {
    const row = this.#database.get<{ outcome: string }>("SELECT outcome FROM steps WHERE key = ?", key);
    if (row === undefined) return undefined;
    this.#usedSteps.set(key, now);
    return JSON.parse(row.outcome) as StepOutcome;
  }

  put(key: Digest, outcome: StepOutcome, now: number): void {
    this.#database.transaction("build.cache-step", () => {
      this.#database.run(
        "INSERT INTO steps (key, outcome, used) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET outcome = excluded.outcome, used = excluded.used",
        key,
        JSON.stringify(outcome),
        now,
      );
    });
  }

  forget(key: Digest): void {
    this.#database.run("DELETE FROM steps WHERE key = ?", key);
  }

  /** Digests of immutable sources (a chain and what was asked of it), so that a warm build mounts nothing. */
  content(key: Digest, now: number): string | undefined {
    const row = this.#database.get<{ value: string }>("SELECT value FROM content WHERE key = ?", key);
    if (row !== undefined) this.#usedContent.set(key, now);
    return row?.value;
  }

  putContent(key: Digest, value: string, now: number): void {
    this.#database.run("INSERT OR REPLACE INTO content (key, value, used) VALUES (?, ?, ?)", key, value, now);
  }

  /** Once a build, in one transaction: a build that is killed forgets only when its steps were used. */
  rememberUses(): void {
    if (this.#usedSteps.size === 0 && this.#usedContent.size === 0) return;
    this.#database.transaction("build.cache-used", () => {
      for (const [key, now] of this.#usedSteps) this.#database.run("UPDATE steps SET used = ? WHERE key = ?", now, key);
      for (const [key, now] of this.#usedContent)
        this.#database.run("UPDATE content SET used = ? WHERE key = ?", now, key);
    });
    this.#usedSteps.clear();
    this.#usedContent.clear();
  }

  all(): CachedStep[] {
    this.rememberUses();
    return this.#database
      .all<{ key: Digest; outcome: string; used: number }>("SELECT key, outcome, used FROM steps ORDER BY used, key")
      .map(({ key, outcome, used }) => {
        const { layer } = JSON.parse(outcome) as StepOutcome;
        return { key, used, size: layer?.descriptor.size ?? 0 };
      });
  }

  /** Keys not used since `before`. */
  olderThan(before: number): Digest[] {
    this.rememberUses();
    return this.#database.all<{ key: Digest }>("SELECT key FROM steps WHERE used < ?", before).map((row) => row.key);
  }

  /** Forgets what was not used since `before`; gives how many steps. */
  prune(before: number): number {
    this.rememberUses();
    return this.#database.transaction("build.cache-prune", () => {
      this.#database.run("DELETE FROM content WHERE used < ?", before);
      return this.#database.run("DELETE FROM steps WHERE used < ?", before);
    });
  }
}
