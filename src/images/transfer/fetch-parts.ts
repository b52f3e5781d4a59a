import type { Clock } from "#base/core/clock.ts";
import { isKind } from "#base/core/errors.ts";
import type { Descriptor } from "#formats/oci/contract.ts";
import type { Repository } from "#images/distribution/contract.ts";
import type { Lease, Store } from "#images/store/contract.ts";
import { Lanes } from "./lanes.ts";

const lanes = 3;
const tries = 5;

export interface PartsOptions {
  readonly store: Store;
  readonly lease: Lease;
  readonly repository: Repository;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onBytes: (descriptor: Descriptor, bytes: number) => void;
}

/** Downloads an image's blobs, a few at a time and in the order they are asked for, each kept from collection. */
export class Parts {
  readonly #options: PartsOptions;
  readonly #lanes = new Lanes(lanes);

  constructor(options: PartsOptions) {
    this.#options = options;
  }

  fetch(descriptor: Descriptor): Promise<void> {
    this.#options.lease.add({ blob: descriptor.digest });
    return this.#lanes.run(() => this.#fetch(descriptor));
  }

  /** A connection that breaks is taken up again where it broke, as long as it brings something now and then. */
  async #fetch(descriptor: Descriptor): Promise<void> {
    const { store, repository, clock, signal } = this.#options;
    let most = 0;
    let resumed = false;
    let attempt = 1;
    const onProgress = (bytes: number) => {
      if (bytes > most) attempt = 1;
      most = Math.max(most, bytes);
      this.#options.onBytes(descriptor, bytes);
    };
    const open = (offset: number, inner: AbortSignal | undefined) => {
      resumed = offset > 0;
      return repository.openBlob(descriptor, offset, inner);
    };
    for (; ; attempt += 1) {
      signal.throwIfAborted();
      if (store.blobs.has(descriptor.digest)) return;
      try {
        await store.blobs.fetch(descriptor, open, { signal, onProgress });
        return;
      } catch (error) {
        const broken = isKind(error, "unavailable") && error.parts.details?.final !== true;
        // What an earlier attempt left may be damaged itself; the store has dropped it.
        const stale = isKind(error, "corrupt") && resumed;
        if ((!broken && !stale) || attempt >= tries) throw error;
        await clock.sleep(500 * attempt, signal);
      }
    }
  }
}
