/**
 * A client of the Docker Engine API over a unix socket or TCP, as any user's program would have. It works against
 * Gantry's engine and any other that speaks the API.
 */

export interface RequestOptions {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is; `json` and `body` exclude each other. */
  readonly body?: ReadableStream<Uint8Array> | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** What a client shows and trusts, as PEM text. */
export interface ClientTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface Client {
  /** Where the engine is: "unix:///run/gantry/gantry.sock", "tcp://127.0.0.1:2375". */
  readonly host: string;
  /**
   * One exchange with an answer of JSON; undefined for an empty one.
   * Errors: the engine's, by its status (404 "not-found", 409 "conflict"); "unavailable" when no engine answers.
   */
  request<T>(method: string, path: string, options?: RequestOptions): Promise<T>;
  /** One exchange whose answer is read as it comes. The status was good. */
  stream(method: string, path: string, options?: RequestOptions): Promise<ReadableStream<Uint8Array>>;
  /** The answer's headers only. */
  head(path: string, options?: RequestOptions): Promise<Headers>;
  /** Upgrades the connection to a raw two-way stream (attach, exec). */
  hijack(path: string, options?: Pick<RequestOptions, "query" | "json">): Promise<RawConnection>;
}

/** A hijacked connection. Disposing it drops the connection. */
export interface RawConnection extends Disposable {
  /** Whether the engine frames stdout and stderr. */
  readonly multiplexed: boolean;
  readonly input: AsyncIterable<Uint8Array>;
  /** Resolves when the engine's side keeps up. */
  write(bytes: Uint8Array): Promise<void>;
  /** Half close. */
  end(): void;
}
