import { constants, crc32, deflateRawSync } from "node:zlib";
import type { ByteSink, Codec } from "./contract.ts";

const blockBytes = 1024 * 1024;
const windowBytes = 32 * 1024;
const level = 6;

// RFC 1952: deflate, no name, no time, unknown system, so that nothing of the machine is in it.
const head = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff);
// RFC 1951: an empty last block of fixed Huffman codes.
const lastBlock = Uint8Array.of(3, 0);

/**
 * The gzip of format 1: every 1 MiB of input is deflated by itself with the 32 KiB before it as dictionary and ended
 * by a sync flush. Blocks could be made in any order by any number of Workers; the bytes stay the same.
 */
export function createGzipWriter(out: ByteSink): Codec {
  return new GzipWriter(out);
}

class GzipWriter implements Codec {
  readonly #out: ByteSink;
  /** The window, then the block being filled. */
  readonly #buffer = new Uint8Array(windowBytes + blockBytes);
  #filled = 0;
  #window = 0;
  #crc = 0;
  #size = 0;
  #begun = false;

  constructor(out: ByteSink) {
    this.#out = out;
  }

  push(chunk: Uint8Array): void {
    this.#crc = crc32(chunk, this.#crc);
    this.#size = (this.#size + chunk.length) % 2 ** 32;
    let at = 0;
    while (at < chunk.length) {
      const take = Math.min(blockBytes - this.#filled, chunk.length - at);
      this.#buffer.set(chunk.subarray(at, at + take), windowBytes + this.#filled);
      this.#filled += take;
      at += take;
      if (this.#filled === blockBytes) this.#flush();
    }
  }

  finish(): void {
    if (this.#filled > 0) this.#flush();
    this.#begin();
    this.#out(lastBlock);
    const tail = new DataView(new ArrayBuffer(8));
    tail.setUint32(0, this.#crc, true);
    tail.setUint32(4, this.#size, true);
    this.#out(new Uint8Array(tail.buffer));
  }

  #begin(): void {
    if (!this.#begun) this.#out(head);
    this.#begun = true;
  }

  #flush(): void {
    this.#begin();
    const start = windowBytes - this.#window;
    const dictionary = this.#buffer.subarray(start, windowBytes);
    this.#out(deflateBlock(this.#buffer.subarray(windowBytes, windowBytes + this.#filled), dictionary));
    if (this.#filled >= windowBytes) {
      this.#buffer.copyWithin(0, this.#filled, this.#filled + windowBytes);
      this.#window = windowBytes;
    }
    this.#filled = 0;
  }
}

/** One block of format 1, whoever asks and wherever. */
export function deflateBlock(block: Uint8Array, dictionary: Uint8Array): Uint8Array {
  return deflateRawSync(block, {
    level,
    memLevel: 8,
    windowBits: 15,
    finishFlush: constants.Z_SYNC_FLUSH,
    ...(dictionary.length === 0 ? {} : { dictionary }),
  });
}
