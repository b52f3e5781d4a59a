import { GantryError } from "#base/core/errors.ts";
import type { Descriptor, Digest } from "#formats/oci/contract.ts";
import type { BlobInfo, BlobIngester, BlobProvider, BlobSource, FetchOptions } from "./contract.ts";

/** One shared piece of work: it lives as long as one caller wants it. */
interface Shared<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  readonly listeners: Set<(value: number) => void>;
  callers: number;
}

/** Does the same work once for however many ask at the same time; the last one that gives up stops it. */
export class SharedWork<Key, T> {
  readonly #running = new Map<Key, Shared<T>>();

  join(
    key: Key,
    options: { readonly signal?: AbortSignal; readonly onProgress?: (value: number) => void },
    begin: (signal: AbortSignal, progress: (value: number) => void) => Promise<T>,
  ): Promise<T> {
    let shared = this.#running.get(key);
    if (shared === undefined) {
      const controller = new AbortController();
      const listeners = new Set<(value: number) => void>();
      const result = begin(controller.signal, (value) => {
        for (const listener of listeners) listener(value);
      }).finally(() => this.#running.delete(key));
      shared = { result, controller, listeners, callers: 0 };
      this.#running.set(key, shared);
    }
    return follow(shared, options);
  }
}

async function follow<T>(
  shared: Shared<T>,
  options: { readonly signal?: AbortSignal; readonly onProgress?: (value: number) => void },
): Promise<T> {
  const { signal, onProgress } = options;
  shared.callers += 1;
  if (onProgress !== undefined) shared.listeners.add(onProgress);
  const gaveUp = Promise.withResolvers<never>();
  const onAbort = () => {
    // The last one waits for the work's own end, so that nothing is left behind when it hears "cancelled".
    if (shared.callers === 1) shared.controller.abort(signal?.reason);
    else gaveUp.reject(cancelled(signal?.reason));
  };
  if (signal?.aborted) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([shared.result, gaveUp.promise]);
  } catch (error) {
    throw signal?.aborted && !(error instanceof GantryError) ? cancelled(error) : error;
  } finally {
    shared.callers -= 1;
    if (onProgress !== undefined) shared.listeners.delete(onProgress);
    signal?.removeEventListener("abort", onAbort);
  }
}

function cancelled(cause: unknown): GantryError {
  return new GantryError("cancelled", { doing: "finish the transfer", because: "it was cancelled", cause });
}

/** Downloads into the store, one a digest. */
export class Fetches {
  readonly #blobs: BlobProvider & BlobIngester;
  readonly #shared = new SharedWork<Digest, BlobInfo>();

  constructor(blobs: BlobProvider & BlobIngester) {
    this.#blobs = blobs;
  }

  run(wanted: Descriptor, source: BlobSource, options: FetchOptions): Promise<BlobInfo> {
    const known = this.#blobs.stat(wanted.digest);
    if (known !== undefined) {
      options.onProgress?.(known.size);
      return Promise.resolve(known);
    }
    return this.#shared.join(wanted.digest, options, (signal, progress) =>
      this.#fetch(wanted, source, signal, progress),
    );
  }

  async #fetch(
    wanted: Descriptor,
    source: BlobSource,
    signal: AbortSignal,
    progress: (bytes: number) => void,
  ): Promise<BlobInfo> {
    const ref = `fetch ${wanted.digest}`;
    let ingest = await this.#blobs.ingest(ref, wanted);
    try {
      if (ingest.offset === wanted.size && wanted.size > 0) return await ingest.commit();
      const { offset, stream } = await source(ingest.offset, signal);
      if (offset !== ingest.offset) {
        if (offset !== 0)
          throw new GantryError("unavailable", {
            doing: "resume the blob",
            on: wanted.digest,
            because: `the source continues at ${offset}, not at ${ingest.offset}`,
          });
        ingest.abandon();
        ingest = await this.#blobs.ingest(ref, wanted);
      }
      for await (const chunk of stream) {
        signal.throwIfAborted();
        ingest.write(chunk);
        progress(ingest.offset);
      }
      signal.throwIfAborted();
      return await ingest.commit();
    } finally {
      await ingest[Symbol.asyncDispose]();
    }
  }
}
