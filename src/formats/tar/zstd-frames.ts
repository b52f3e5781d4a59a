type Step = "magic" | "descriptor" | "block" | "checksum" | "skippable";

/**
 * Follows the frames of a zstd stream (RFC 8878, 3.1) without decoding, because the decoder does not say whether it
 * stopped between frames: that is how a truncated stream is known.
 */
export class ZstdFrames {
  #pending: number[] = [];
  /** Header bytes wanted before the next step. */
  #wanted = 4;
  #skip = 0;
  #step: Step = "magic";
  #checksum = false;
  #frames = 0;

  /** Throws an Error for bytes that are no frame. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#skip > 0) {
        const take = Math.min(this.#skip, chunk.length - at);
        this.#skip -= take;
        at += take;
        continue;
      }
      this.#pending.push(chunk[at]!);
      at += 1;
      while (this.#skip === 0 && this.#pending.length >= this.#wanted) this.#advance();
    }
  }

  /** Between frames, with at least one seen. */
  get complete(): boolean {
    return this.#frames > 0 && this.#step === "magic" && this.#pending.length === 0 && this.#skip === 0;
  }

  #advance(): void {
    const bytes = this.#pending;
    this.#pending = [];
    if (this.#step === "magic") this.#magic(bytes);
    else if (this.#step === "skippable") this.#then("magic", 4, little(bytes), 1);
    else if (this.#step === "descriptor") this.#descriptor(bytes[0]!);
    else if (this.#step === "checksum") this.#then("magic", 4, 0, 1);
    else this.#block(little(bytes));
  }

  #magic(bytes: readonly number[]): void {
    const magic = little(bytes);
    if (magic === 0xfd2fb528) this.#then("descriptor", 1);
    else if (magic >= 0x184d2a50 && magic <= 0x184d2a5f) this.#then("skippable", 4);
    else throw new Error("a zstd frame begins with other bytes");
  }

  #descriptor(descriptor: number): void {
    const single = (descriptor & 0x20) !== 0;
    this.#checksum = (descriptor & 0x04) !== 0;
    const dictionary = [0, 1, 2, 4][descriptor & 3]!;
    const content = [single ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
    this.#then("block", 3, (single ? 0 : 1) + dictionary + content);
  }

  #block(header: number): void {
    const type = (header >> 1) & 3;
    if (type === 3) throw new Error("a zstd block has a reserved type");
    const size = type === 1 ? 1 : header >> 3;
    if ((header & 1) === 0) this.#then("block", 3, size);
    else if (this.#checksum) this.#then("checksum", 4, size);
    else this.#then("magic", 4, size, 1);
  }

  #then(step: Step, wanted: number, skip = 0, frames = 0): void {
    this.#step = step;
    this.#wanted = wanted;
    this.#skip = skip;
    this.#frames += frames;
  }
}

function little(bytes: readonly number[]): number {
  return bytes.reduceRight((sum, byte) => sum * 256 + byte, 0);
}
