import { join } from "node:path";
import type { Clock } from "#base/core/clock.ts";
import type { Faults } from "#base/core/faults.ts";
import type { Random } from "#base/core/random.ts";
import type { Database } from "#base/system/database/contract.ts";
import type { WorkerPool } from "#base/system/pool/contract.ts";
import type { Digest } from "#formats/oci/contract.ts";
import { digestAlgorithm, digestHex } from "#formats/oci/digest.ts";

/** What every part of one open store shares. */
export interface StoreContext {
  readonly root: string;
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly faults: Faults;
  readonly bulk: WorkerPool;
  /** The kernel's boot id: layers not yet synced are good only within it. */
  readonly boot: string;
  readonly watch: RootWatch;
  readonly background: Background;
}

/** Tells a running collection that something new may be reachable. */
export class RootWatch {
  #changes = 0;

  touch(): void {
    this.#changes += 1;
  }

  get changes(): number {
    return this.#changes;
  }
}

/** Work nobody waits for until the store closes. Its errors are kept for that moment. */
export class Background {
  readonly #running = new Set<Promise<void>>();
  readonly #failures: unknown[] = [];

  add(work: Promise<unknown>): void {
    const done = work.then(
      () => undefined,
      (error: unknown) => {
        this.#failures.push(error);
      },
    );
    this.#running.add(done);
    done.finally(() => this.#running.delete(done)).catch((error: unknown) => this.#failures.push(error));
  }

  /** Waits for what runs; gives what failed since the last time. */
  async settle(): Promise<unknown[]> {
    while (this.#running.size > 0) await Promise.all(this.#running);
    return this.#failures.splice(0);
  }
}

export const folders = {
  blobs: (root: string, algorithm = "") => join(root, "blobs", algorithm),
  blob: (root: string, digest: Digest) => join(root, "blobs", digestAlgorithm(digest), digestHex(digest)),
  ingest: (root: string, id = "") => join(root, "ingest", id),
  layers: (root: string) => join(root, "layers"),
  layer: (root: string, id: string) => join(root, "layers", id),
  /** The unpacked files, or a snapshot's upper. */
  files: (root: string, id: string) => join(root, "layers", id, "fs"),
  work: (root: string, id: string) => join(root, "layers", id, "work"),
} as const;

/** The lower of what has none: overlay needs one. */
export const emptyLayer = "empty";
