/** Keeps things made ahead of their use, one being made at a time, and never more than are wanted. */
export class ReadyPool<T> {
  readonly #size: number;
  readonly #make: () => Promise<T>;
  readonly #ready: T[] = [];
  #refill: Promise<void> | undefined;
  #closed = false;

  constructor(size: number, make: () => Promise<T>) {
    this.#size = size;
    this.#make = make;
  }

  /** One that is ready, else one made now. Errors: those of making. */
  async take(): Promise<T> {
    const ready = this.#ready.shift();
    const taken = ready ?? (await this.#make());
    this.#refill ??= this.#fill();
    return taken;
  }

  /** Makes the first ones ahead of any use. */
  warm(): void {
    this.#refill ??= this.#fill();
  }

  /** Ends refilling and gives what was left. */
  async close(): Promise<readonly T[]> {
    this.#closed = true;
    await this.#refill;
    return this.#ready.splice(0);
  }

  async #fill(): Promise<void> {
    try {
      while (!this.#closed && this.#ready.length < this.#size) this.#ready.push(await this.#make());
    } catch {
      // Whoever takes next makes one himself and hears the reason.
    } finally {
      this.#refill = undefined;
    }
  }
}
