import type { Clock } from "#base/core/clock.ts";
import { describe, GantryError, isKind } from "#base/core/errors.ts";
import type { Random } from "#base/core/random.ts";
import type { Database } from "#base/system/database/contract.ts";
import type { OutsidePorts } from "#base/system/holder/outside-ports.ts";
import type { Registry } from "#images/registry/contract.ts";
import { createRegistry } from "#images/registry/registry.ts";
import { RegistryWorker } from "#images/registry/worker/registry-worker.ts";
import type { Store } from "#images/store/contract.ts";
import type { RegistryListeners } from "./contract.ts";
import { type ListenAddress, parseListenAddress, printListenAddress } from "./listen-address.ts";
import type { SavedAddresses } from "./saved-addresses.ts";

export interface RegistryParts {
  readonly store: Store;
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  /** The Worker's entry file. */
  readonly worker: URL;
  /** Served again by `resume`, until stopped. */
  readonly saved: SavedAddresses;
  readonly onError: (error: unknown, what: string) => void;
  /** The machine's ports, where this process's own loopback is not the machine's. */
  readonly outside?: OutsidePorts;
}

interface Open extends AsyncDisposable {
  readonly worker: RegistryWorker;
}

/** A Worker that died sooner is not started again by itself. */
const livedLong = 10_000;

/** One registry and one Worker for all addresses, from the first one served on. */
export function openRegistries(parts: RegistryParts): RegistryListeners & AsyncDisposable {
  const { saved, clock, onError } = parts;
  const listening = new Map<string, ListenAddress>();
  const failures = new Map<string, string>();
  /** What is open on the machine for each address. */
  const doors = new Map<string, { readonly insidePort: number; readonly id: number }>();
  let open: Open | undefined;
  let resuming: Promise<void> | undefined;

  function opened(): Open {
    if (open !== undefined) return open;
    const began = clock.monotonic();
    const worker = new RegistryWorker({
      entry: parts.worker,
      blobs: parts.store.blobs,
      answer: (request) => registry.fetch(request),
      onDeath: (error) => {
        for (const address of listening.keys()) failures.set(address, error.parts.because);
        listening.clear();
        open = undefined;
        onError(error, "the registry");
        if (clock.monotonic() - began > livedLong) void resume();
      },
    });
    const registry: Registry = createRegistry({ ...parts, bytes: worker.bytes });
    open = {
      worker,
      async [Symbol.asyncDispose]() {
        for (const served of listening.values()) await close(served);
        await registry[Symbol.asyncDispose]();
        await worker[Symbol.asyncDispose]();
      },
    };
    return open;
  }

  async function serve({ address }: { readonly address: string }): Promise<{ address: string }> {
    const { hostname, port } = parseListenAddress(address);
    const served = await listen(hostname, port);
    const bound = printListenAddress(served);
    listening.set(bound, served);
    failures.delete(bound);
    saved.add(bound);
    return { address: bound };
  }

  async function listen(hostname: string, port: number): Promise<ListenAddress> {
    const { outside } = parts;
    if (outside === undefined) return { hostname, port: await opened().worker.listen(hostname, port) };
    const insidePort = await opened().worker.listen("127.0.0.1", port);
    const served = { hostname, port: port === 0 ? insidePort : port };
    try {
      const hostAddress = hostname === "localhost" ? "127.0.0.1" : hostname;
      doors.set(printListenAddress(served), {
        insidePort,
        id: await outside.open({ protocol: "tcp", hostAddress, hostPort: served.port, insidePort }),
      });
      return served;
    } catch (error) {
      await opened().worker.close("127.0.0.1", insidePort);
      throw error;
    }
  }

  async function close(served: ListenAddress): Promise<void> {
    const address = printListenAddress(served);
    const door = doors.get(address);
    if (door === undefined) return opened().worker.close(served.hostname, served.port);
    doors.delete(address);
    await parts.outside?.close(door.id);
    await opened().worker.close("127.0.0.1", door.insidePort);
  }

  function resume(): Promise<void> {
    resuming ??= resumeAll().finally(() => {
      resuming = undefined;
    });
    return resuming;
  }

  async function resumeAll(): Promise<void> {
    for (const address of saved.list().filter((item) => !listening.has(item))) {
      try {
        await serve({ address });
      } catch (error) {
        failures.set(address, isKind(error) ? error.parts.because : describe(error));
        onError(error, "serve a registry again");
      }
    }
  }

  return {
    serve,
    resume,
    list: () =>
      saved.list().map((address) => {
        const failure = listening.has(address) ? undefined : failures.get(address);
        return { address, ...(failure === undefined ? {} : { failure }) };
      }),
    async stop(address) {
      const known = saved.remove(address);
      const served = listening.get(address);
      listening.delete(address);
      failures.delete(address);
      if (served !== undefined) return close(served);
      if (known) return;
      throw new GantryError("not-found", {
        doing: "stop the registry at",
        on: address,
        because: "none is served there",
      });
    },
    async [Symbol.asyncDispose]() {
      await open?.[Symbol.asyncDispose]();
      open = undefined;
      listening.clear();
    },
  };
}
