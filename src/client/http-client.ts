import { apiVersion } from "#formats/docker/contract.ts";
import { type Address, parseHost } from "./address.ts";
import type { Client, ClientTls, RequestOptions } from "./contract.ts";
import { lost, refusal } from "./failure.ts";
import { openRaw } from "./raw-connection.ts";

/** Makes a client; nothing is connected until the first request. */
export function createClient(host: string, tls?: ClientTls): Client {
  const address = parseHost(host);

  async function exchange(method: string, path: string, options: RequestOptions = {}): Promise<Response> {
    const target = `${pathOf(path, options.query)}`;
    const init: BunFetchRequestInit & { timeout: false } = {
      method,
      headers: {
        ...(options.json === undefined ? {} : { "Content-Type": "application/json" }),
        ...options.headers,
      },
      ...(options.json === undefined ? {} : { body: JSON.stringify(options.json) }),
      ...(options.body === undefined ? {} : { body: options.body as NonNullable<BunFetchRequestInit["body"]> }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(address.kind === "unix" ? { unix: address.path } : tls === undefined ? {} : { tls }),
      // A container may run for days before its wait answers.
      timeout: false,
    };
    let response: Response;
    try {
      response = await fetch(`${origin(address, tls)}${target}`, init);
    } catch (error) {
      options.signal?.throwIfAborted();
      throw lost(host, error, `${method} ${path.split("?", 1)[0]}`);
    }
    if (response.ok || response.status === 304) return response;
    throw refusal(response.status, await whole(response, `${method} ${path}`), `${method} ${path}`);
  }

  async function whole(response: Response, doing: string): Promise<string> {
    try {
      return await response.text();
    } catch (error) {
      throw lost(host, error, doing);
    }
  }

  /** The same bytes; that the connection broke on the way is said in words. */
  async function* told(body: AsyncIterable<Uint8Array>, doing: string, signal?: AbortSignal) {
    try {
      yield* body;
    } catch (error) {
      signal?.throwIfAborted();
      throw lost(host, error, doing);
    }
  }

  return {
    host,
    async request<T>(method: string, path: string, options?: RequestOptions): Promise<T> {
      const response = await exchange(method, path, options);
      const text = await whole(response, `${method} ${path}`);
      return (text === "" ? undefined : parseAnswer(text, response)) as T;
    },
    async stream(method, path, options) {
      const response = await exchange(method, path, options);
      if (response.body === null) return new ReadableStream({ start: (controller) => controller.close() });
      return readable(told(response.body, `${method} ${path.split("?", 1)[0]}`, options?.signal));
    },
    async head(path, options) {
      return (await exchange("HEAD", path, options)).headers;
    },
    hijack: (path, options = {}) =>
      openRaw({ host, address, ...(tls === undefined ? {} : { tls }) }, pathOf(path, options.query), options.json),
  };
}

function readable(source: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const next = await source.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
    cancel: async () => void (await source.return(undefined)),
  });
}

function origin(address: Address, tls: ClientTls | undefined): string {
  if (address.kind === "unix") return "http://localhost";
  return `${tls === undefined ? "http" : "https"}://${address.host}:${address.port}`;
}

function parseAnswer(text: string, response: Response): unknown {
  return response.headers.get("content-type")?.startsWith("application/json") === true ? JSON.parse(text) : text;
}

export function pathOf(path: string, query: RequestOptions["query"] = {}): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) words.set(name, String(value));
  const tail = words.size === 0 ? "" : `?${words}`;
  return `/v${apiVersion}${path}${tail}`;
}
