import type { Clock } from "#base/core/clock.ts";
import { GantryError } from "#base/core/errors.ts";
import type { Random } from "#base/core/random.ts";
import type { Database } from "#base/system/database/contract.ts";
import type { Registry } from "#images/registry/contract.ts";
import { createRegistry } from "#images/registry/registry.ts";
import type { Store } from "#images/store/contract.ts";
import type { RegistryListeners } from "./contract.ts";

export interface RegistryParts {
  readonly store: Store;
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly onError: (error: unknown, what: string) => void;
}

/** "127.0.0.1:5000", "[::1]:5000". Beyond loopback is refused: this first form has neither TLS nor users. */
export function parseListenAddress(text: string): { hostname: string; port: number } {
  const match = /^(\[[0-9a-f:]+\]|[^:]+):(\d{1,5})$/i.exec(text);
  if (match === null || Number(match[2]) > 65535) {
    throw new GantryError("invalid", {
      doing: "serve the registry at",
      on: text,
      because: "it is not of the form HOST:PORT",
      next: "For example: --address 127.0.0.1:5000",
    });
  }
  const hostname = match[1]!.replace(/^\[|\]$/g, "");
  if (hostname !== "localhost" && hostname !== "::1" && !/^127(\.\d{1,3}){3}$/.test(hostname)) {
    throw new GantryError("unsupported", {
      doing: "serve the registry at",
      on: text,
      because: "without TLS and users a registry is served on loopback only",
      next: "Use 127.0.0.1, and a proxy with TLS in front of it.",
    });
  }
  return { hostname, port: Number(match[2]) };
}

export function openRegistries(parts: RegistryParts): RegistryListeners & AsyncDisposable {
  const listening = new Map<string, ReturnType<typeof Bun.serve>>();
  let registry: Registry | undefined;

  return {
    async serve({ address }) {
      const { hostname, port } = parseListenAddress(address);
      registry ??= createRegistry(parts);
      const answer = registry;
      let server: ReturnType<typeof Bun.serve>;
      try {
        server = Bun.serve({
          hostname,
          port,
          idleTimeout: 0,
          maxRequestBodySize: Number.MAX_SAFE_INTEGER,
          fetch: (request) => answer.fetch(request),
        });
      } catch (cause) {
        throw new GantryError("conflict", {
          doing: "serve the registry at",
          on: address,
          because: "the address is taken or not of this machine",
          next: "Choose another port with --address.",
          cause,
        });
      }
      const bound = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${server.port}`;
      listening.set(bound, server);
      return { address: bound };
    },
    list: () => [...listening.keys()].map((address) => ({ address })),
    async stop(address) {
      const server = listening.get(address);
      if (server === undefined) {
        throw new GantryError("not-found", {
          doing: "stop the registry at",
          on: address,
          because: "none is served there",
        });
      }
      listening.delete(address);
      await server.stop(true);
    },
    async [Symbol.asyncDispose]() {
      for (const server of listening.values()) await server.stop(true);
      listening.clear();
      await registry?.[Symbol.asyncDispose]();
      registry = undefined;
    },
  };
}
