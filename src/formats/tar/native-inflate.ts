import { constants, createGunzip, createZstdDecompress } from "node:zlib";

/**
 * The engine below node:zlib's streams, driven synchronously: what a Worker needs and the public API lacks (its sync
 * calls take whole buffers only). Bun is pinned, and `decompress.test.ts` fails if a Bun has it no more.
 */
export interface NativeInflate {
  /**
   * Feeds input[at, end) and hands out what comes; gives how many bytes of input were used.
   * Throws an Error of zlib's words for a broken stream.
   */
  feed(input: Uint8Array, at: number, end: number, out: (chunk: Uint8Array) => void, last?: boolean): number;
  close(): void;
}

interface NativeHandle {
  writeSync(
    flush: number,
    input: Uint8Array,
    inputOffset: number,
    inputLength: number,
    output: Uint8Array,
    outputOffset: number,
    outputLength: number,
  ): void;
  close(): void;
  onerror: (message: string, code: number, name: string) => void;
}

interface NativeStream {
  readonly _handle: NativeHandle;
  /** After a call: [output bytes free, input bytes left]. */
  readonly _writeState: Uint32Array;
  close(): void;
}

const outputBytes = 256 * 1024;
/** RFC 8878 asks decoders for 8 MiB; 128 MiB is the zstd tool's own default bound. */
const zstdWindowLog = 27;

export function nativeGunzip(): NativeInflate {
  return new Native(createGunzip() as unknown as NativeStream, constants.Z_NO_FLUSH, constants.Z_FINISH);
}

export function nativeUnzstd(): NativeInflate {
  const stream = createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLog } });
  return new Native(stream as unknown as NativeStream, constants.ZSTD_e_continue, constants.ZSTD_e_end);
}

class Native implements NativeInflate {
  readonly #stream: NativeStream;
  readonly #handle: NativeHandle;
  readonly #state: Uint32Array;
  readonly #flush: number;
  readonly #finish: number;
  readonly #output = new Uint8Array(outputBytes);
  #failure: string | undefined;

  constructor(stream: NativeStream, flush: number, finish: number) {
    this.#stream = stream;
    this.#handle = stream._handle;
    this.#state = stream._writeState;
    this.#flush = flush;
    this.#finish = finish;
    this.#handle.onerror = (message) => {
      this.#failure = message;
    };
  }

  feed(input: Uint8Array, at: number, end: number, out: (chunk: Uint8Array) => void, last = false): number {
    let from = at;
    for (;;) {
      const flush = last ? this.#finish : this.#flush;
      this.#handle.writeSync(flush, input, from, end - from, this.#output, 0, outputBytes);
      if (this.#failure !== undefined) throw new Error(this.#failure);
      const [free, left] = this.#state as unknown as [number, number];
      from = end - left;
      if (free < outputBytes) out(this.#output.subarray(0, outputBytes - free));
      // Room left over means it has nothing more to say for this input.
      if (free > 0) return from - at;
    }
  }

  close(): void {
    this.#stream.close();
  }
}
