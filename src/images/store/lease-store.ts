import type { Digest } from "#formats/oci/contract.ts";
import type { StoreContext } from "./context.ts";
import type { Held, Lease, LeaseStore } from "./contract.ts";

export type HeldKind = "blob" | "image" | "chain";

export interface HeldKey {
  readonly kind: HeldKind;
  readonly key: Digest;
}

export function heldKey(held: Held): HeldKey {
  if ("blob" in held) return { kind: "blob", key: held.blob };
  return "image" in held ? { kind: "image", key: held.image } : { kind: "chain", key: held.chain };
}

/** Leases live in memory: only this process opens the store, and what it was doing dies with it. Pins are rows. */
export class MemoryLeaseStore implements LeaseStore {
  readonly #context: StoreContext;
  readonly #leases = new Map<number, { readonly why: string; readonly held: HeldKey[] }>();
  #next = 1;

  constructor(context: StoreContext) {
    this.#context = context;
  }

  begin(why: string): Lease {
    const id = this.#next++;
    const record = { why, held: [] as HeldKey[] };
    this.#leases.set(id, record);
    return {
      id,
      add: (held) => {
        record.held.push(heldKey(held));
        this.#context.watch.touch();
      },
      [Symbol.dispose]: () => void this.#leases.delete(id),
    };
  }

  pin(owner: string, held: Held, expires?: number): void {
    const { kind, key } = heldKey(held);
    const { database, watch } = this.#context;
    watch.touch();
    database.transaction("images.pin", () =>
      database.run("INSERT OR REPLACE INTO pins VALUES (?, ?, ?, ?)", owner, kind, key, expires ?? null),
    );
  }

  unpin(owner: string, held?: Held): void {
    const { database } = this.#context;
    database.transaction("images.unpin", () => {
      if (held === undefined) database.run("DELETE FROM pins WHERE owner = ?", owner);
      else {
        const { kind, key } = heldKey(held);
        database.run("DELETE FROM pins WHERE owner = ? AND kind = ? AND key = ?", owner, kind, key);
      }
    });
  }

  isHeld(digest: Digest): boolean {
    return this.held().some((item) => item.kind === "blob" && item.key === digest);
  }

  /** All that leases and pins hold now. Expired pins are no more. */
  held(): HeldKey[] {
    const { database, clock } = this.#context;
    const pins = database.all<{ kind: HeldKind; key: Digest }>(
      "SELECT kind, key FROM pins WHERE expires IS NULL OR expires > ?",
      clock.now(),
    );
    return [...[...this.#leases.values()].flatMap((lease) => lease.held), ...pins];
  }

  forgetExpired(): void {
    const { database, clock } = this.#context;
    const now = clock.now();
    const some = database.get("SELECT 1 FROM pins WHERE expires <= ? LIMIT 1", now);
    if (some === undefined) return;
    database.transaction("images.unpin", () => database.run("DELETE FROM pins WHERE expires <= ?", now));
  }
}
