import { GantryError } from "#base/core/errors.ts";
import type { Patience } from "./patience.ts";
import { unreachable } from "./unreachable.ts";

/** Silence in the middle of an answer's bytes, at most; milliseconds. */
export const silenceMs = 60_000;

export interface Asked {
  readonly doing: string;
  readonly on: string;
}

/** A registry's answer. Exactly one of `stream`, `bytes`, `drop` is called; what breaks is "unavailable". */
export class Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Where it came from after redirects. */
  readonly url: string;
  readonly #asked: Asked;
  readonly #body: ReadableStream<Uint8Array> | null;
  readonly #patience: Patience;

  constructor(response: Response, url: string, patience: Patience, asked: Asked) {
    this.status = response.status;
    this.headers = response.headers;
    this.url = url;
    this.#body = response.body;
    this.#patience = patience;
    this.#asked = asked;
  }

  async *stream(signal?: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    using patience = this.#patience;
    try {
      for await (const chunk of this.#body ?? []) {
        patience.touch(silenceMs);
        yield chunk;
      }
    } catch (cause) {
      signal?.throwIfAborted();
      throw unreachable(this.#asked, this.url, cause, patience.ranOut);
    }
  }

  /** The whole, never more than `limit` bytes (CVE-2020-1702). Error "invalid": there are more. */
  async bytes(limit: number, signal?: AbortSignal): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of this.stream(signal)) {
      size += chunk.length;
      if (size > limit)
        throw new GantryError("invalid", { ...this.#asked, because: `the answer is over ${limit} bytes` });
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  /** The first bytes as text, whatever happens on the way. */
  async beginning(limit: number): Promise<string> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    try {
      for await (const chunk of this.stream()) {
        chunks.push(chunk);
        size += chunk.length;
        if (size >= limit) break;
      }
    } catch {
      // An error's words are a courtesy; its status is what counts.
      size = Math.min(size, limit);
    }
    return Buffer.concat(chunks).subarray(0, limit).toString("utf8");
  }

  async drop(): Promise<void> {
    this.#patience[Symbol.dispose]();
    await this.#body?.cancel();
  }
}
