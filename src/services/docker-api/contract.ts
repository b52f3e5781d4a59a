/**
 * The Docker Engine API over the engine's facade. A route is data: method, path pattern, and what kind of exchange it
 * is, so that the listener alone knows about sockets.
 */
import type { Duplex, Readable } from "node:stream";

/** What a handler sees of one request. */
export interface Call {
  readonly method: string;
  /** The path without the version prefix. */
  readonly path: string;
  /** The version asked for ("1.43"), or the newest when the client named none. */
  readonly version: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The body as it arrives; never buffered whole. */
  readonly body: Readable;
  /** Aborted when the client goes away before the answer is finished. */
  readonly signal: AbortSignal;
  /**
   * The body parsed as a JSON object; {} when it is empty.
   * Errors: "invalid" when it is no JSON object or over 4 MiB.
   */
  json<T extends object>(): Promise<Partial<T>>;
}

/** A handler answers with one of these; a stream or a hijack lasts until its function returns. */
export type Answer =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly json?: unknown }
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly text: string }
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly stream: (out: Out) => Promise<void>;
    }
  | {
      readonly hijack: (socket: Duplex) => Promise<void>;
      readonly contentType: string;
      /** The stream is the inside of a WebSocket. */
      readonly webSocket?: true;
    }
  /** Only for `Upgrade: h2c`: from here on the socket speaks HTTP/2. */
  | { readonly h2c: (socket: Duplex) => Promise<void> };

/** The answer's body. `write` resolves when the client keeps up, so a slow one holds the writer back, not memory. */
export interface Out {
  write(chunk: Uint8Array | string): Promise<void>;
}

export interface Route {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  /** hono's pattern language: "/images/:name{.+}/json". */
  readonly path: string;
  readonly handle: (call: Call) => Promise<Answer> | Answer;
}
