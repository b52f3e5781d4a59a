import type { Clock } from "#base/core/clock.ts";
import { GantryError } from "#base/core/errors.ts";
import type { Random } from "#base/core/random.ts";
import type { Database } from "#base/system/database/contract.ts";
import type { Registry } from "#images/registry/contract.ts";
import { createRegistry } from "#images/registry/registry.ts";
import { RegistryWorker } from "#images/registry/worker/registry-worker.ts";
import type { Store } from "#images/store/contract.ts";
import type { RegistryListeners } from "./contract.ts";
import { type ListenAddress, parseListenAddress, printListenAddress } from "./listen-address.ts";

export interface RegistryParts {
  readonly store: Store;
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  /** The Worker's entry file. */
  readonly worker: URL;
  readonly onError: (error: unknown, what: string) => void;
}

interface Open extends AsyncDisposable {
  readonly worker: RegistryWorker;
}

/** One registry and one Worker for all addresses, from the first one served on. */
export function openRegistries(parts: RegistryParts): RegistryListeners & AsyncDisposable {
  const listening = new Map<string, ListenAddress>();
  let open: Open | undefined;

  function opened(): Open {
    if (open !== undefined) return open;
    const worker = new RegistryWorker({
      entry: parts.worker,
      blobs: parts.store.blobs,
      answer: (request) => registry.fetch(request),
      onDeath: (error) => {
        listening.clear();
        open = undefined;
        parts.onError(error, "the registry");
      },
    });
    const registry: Registry = createRegistry({ ...parts, bytes: worker.bytes });
    open = {
      worker,
      async [Symbol.asyncDispose]() {
        for (const { hostname, port } of listening.values()) await worker.close(hostname, port);
        await registry[Symbol.asyncDispose]();
        await worker[Symbol.asyncDispose]();
      },
    };
    return open;
  }

  return {
    async serve({ address }) {
      const { hostname, port } = parseListenAddress(address);
      const served = { hostname, port: await opened().worker.listen(hostname, port) };
      const bound = printListenAddress(served);
      listening.set(bound, served);
      return { address: bound };
    },
    list: () => [...listening.keys()].map((address) => ({ address })),
    async stop(address) {
      const served = listening.get(address);
      if (served === undefined) {
        throw new GantryError("not-found", {
          doing: "stop the registry at",
          on: address,
          because: "none is served there",
        });
      }
      listening.delete(address);
      await opened().worker.close(served.hostname, served.port);
    },
    async [Symbol.asyncDispose]() {
      await open?.[Symbol.asyncDispose]();
      open = undefined;
      listening.clear();
    },
  };
}
