import { GantryError } from "#base/core/errors.ts";
import type { ByteSink, Codec, Compression } from "./contract.ts";
import { type NativeInflate, nativeGunzip, nativeUnzstd } from "./native-inflate.ts";
import { ZstdFrames } from "./zstd-frames.ts";

/** How many first bytes {@link detectCompression} wants. */
export const detectionBytes = 6;

/** By magic number. Anything else is "none". */
export function detectCompression(first: Uint8Array): Compression {
  const begins = (...magic: number[]) => magic.every((byte, index) => first[index] === byte);
  if (begins(0x1f, 0x8b)) return "gzip";
  if (begins(0x28, 0xb5, 0x2f, 0xfd)) return "zstd";
  if ((first[0]! & 0xf0) === 0x50 && first[1] === 0x2a && first[2] === 0x4d && first[3] === 0x18) return "zstd";
  if (begins(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0)) return "xz";
  if (begins(0x42, 0x5a, 0x68)) return "bzip2";
  return "none";
}

/** A decompressor in use. `close` frees the engine; it may be called at any time and again. */
export interface Decompressor extends Codec, Disposable {}

/**
 * Hands `out` the uncompressed bytes, a bounded piece at a time: a bomb meets the sink's own limit.
 * Errors: "corrupt"; "unsupported" for xz and bzip2.
 */
export function createDecompressor(compression: Compression, out: ByteSink): Decompressor {
  if (compression === "none") return { push: out, finish: () => undefined, [Symbol.dispose]: () => undefined };
  if (compression === "gzip") return new Gunzip(nativeGunzip(), out);
  if (compression === "zstd") return new Unzstd(nativeUnzstd(), out);
  throw new GantryError("unsupported", {
    doing: "decompress",
    because: `it is compressed with ${compression}`,
    next: `Decompress it with ${compression === "xz" ? "xz -d" : "bzip2 -d"} first, or compress it with gzip or zstd.`,
  });
}

/** Looks at the first bytes and decompresses what they say. */
export function createAutoDecompressor(out: ByteSink): Decompressor {
  return new Auto(out);
}

class Auto implements Decompressor {
  readonly #out: ByteSink;
  #first: Uint8Array = new Uint8Array(0);
  #inner: Decompressor | undefined;

  constructor(out: ByteSink) {
    this.#out = out;
  }

  push(chunk: Uint8Array): void {
    if (this.#inner !== undefined) {
      this.#inner.push(chunk);
      return;
    }
    const first = this.#first.length === 0 ? chunk : Buffer.concat([this.#first, chunk]);
    if (first.length < detectionBytes) this.#first = first.slice();
    else this.#begin(first);
  }

  finish(): void {
    if (this.#inner === undefined) this.#begin(this.#first);
    this.#inner?.finish();
  }

  #begin(first: Uint8Array): void {
    this.#inner = createDecompressor(detectCompression(first), this.#out);
    if (first.length > 0) this.#inner.push(first);
  }

  [Symbol.dispose](): void {
    this.#inner?.[Symbol.dispose]();
  }
}

class Gunzip implements Decompressor {
  readonly #native: NativeInflate;
  readonly #out: ByteSink;
  #trailing = false;

  constructor(native: NativeInflate, out: ByteSink) {
    this.#native = native;
    this.#out = out;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && !this.#trailing) {
      const used = broken("gzip", () => this.#native.feed(chunk, at, chunk.length, this.#out));
      at += used;
      // The engine stops after a member that no other follows; only padding may come then.
      if (used === 0) this.#trailing = true;
    }
    if (this.#trailing && chunk.subarray(at).some((byte) => byte !== 0)) corrupt("gzip", "other bytes follow its end");
  }

  finish(): void {
    if (!this.#trailing) broken("gzip", () => this.#native.feed(nothing, 0, 0, this.#out, true));
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#native.close();
  }
}

class Unzstd implements Decompressor {
  readonly #native: NativeInflate;
  readonly #out: ByteSink;
  readonly #frames = new ZstdFrames();

  constructor(native: NativeInflate, out: ByteSink) {
    this.#native = native;
    this.#out = out;
  }

  push(chunk: Uint8Array): void {
    broken("zstd", () => this.#frames.push(chunk));
    let at = 0;
    while (at < chunk.length) {
      const used = broken("zstd", () => this.#native.feed(chunk, at, chunk.length, this.#out));
      if (used === 0) corrupt("zstd", "the stream is broken");
      at += used;
    }
  }

  finish(): void {
    this[Symbol.dispose]();
    if (!this.#frames.complete) corrupt("zstd", "the stream stops in the middle");
  }

  [Symbol.dispose](): void {
    this.#native.close();
  }
}

const nothing = new Uint8Array(0);

/** Turns the engine's own words into "corrupt"; errors of the sink pass as they are. */
function broken<T>(format: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof GantryError) throw error;
    return corrupt(format, error instanceof Error ? error.message : String(error));
  }
}

function corrupt(format: string, because: string): never {
  throw new GantryError("corrupt", { doing: "decompress", on: format, because });
}
