import type { BodyReader } from "../receive.ts";

const ahead = 1024 * 1024;

interface Source {
  read(): Promise<{ readonly value?: Uint8Array | undefined; readonly done: boolean }>;
  cancel(): Promise<void>;
}

/**
 * A body that is read ahead a little while the engine decides where it goes: of a connection that breaks meanwhile,
 * what had come is kept.
 */
export class EarlyBody implements BodyReader {
  readonly #source: Source;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #ended = false;
  #broken: unknown;
  #changed = Promise.withResolvers<void>();

  constructor(source: Source) {
    this.#source = source;
    void this.#pump();
  }

  async read(): Promise<{ readonly value?: Uint8Array | undefined }> {
    for (;;) {
      const value = this.#chunks.shift();
      if (value !== undefined) {
        this.#bytes -= value.length;
        this.#change();
        return { value };
      }
      if (this.#broken !== undefined) throw this.#broken;
      if (this.#ended) return {};
      await this.#changed.promise;
    }
  }

  async cancel(): Promise<void> {
    this.#ended = true;
    this.#change();
    await this.#source.cancel();
  }

  releaseLock(): void {
    // The source is ours until its request ends.
  }

  async #pump(): Promise<void> {
    try {
      while (!this.#ended) {
        if (this.#bytes >= ahead) {
          await this.#changed.promise;
          continue;
        }
        const { value, done } = await this.#source.read();
        if (done || value === undefined) break;
        this.#chunks.push(value);
        this.#bytes += value.length;
        this.#change();
      }
    } catch (error) {
      this.#broken = error ?? new Error("the connection broke");
    }
    this.#ended = true;
    this.#change();
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
