import { openTestRegistry, type TestRegistry } from "#images/registry/testing/test-registry.ts";

export interface ServedRegistry extends AsyncDisposable {
  readonly at: TestRegistry;
  /** "127.0.0.1:PORT". */
  readonly domain: string;
  /** "GET /v2/…" of every request. */
  readonly seen: string[];
  /** Looks at a request first; a response is the answer. */
  intercept: ((request: Request) => Response | Promise<Response> | undefined) | undefined;
}

/** Our registry on loopback, on a store of its own. */
export async function serveRegistry(): Promise<ServedRegistry> {
  const at = await openTestRegistry();
  const seen: string[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    async fetch(request) {
      seen.push(`${request.method} ${new URL(request.url).pathname}`);
      return (await served.intercept?.(request)) ?? at.registry.fetch(request);
    },
  });
  const served: ServedRegistry = {
    at,
    domain: `127.0.0.1:${server.port}`,
    seen,
    intercept: undefined,
    async [Symbol.asyncDispose]() {
      await server.stop(true);
      await at[Symbol.asyncDispose]();
    },
  };
  return served;
}
