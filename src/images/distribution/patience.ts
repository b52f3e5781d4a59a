import type { Clock } from "#base/core/clock.ts";

/** Gives up on a peer that is silent for too long, however long the whole takes. */
export class Patience implements Disposable {
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  readonly #ranOut = new AbortController();
  #deadline: number;

  /** `ms` of silence at most; `also` aborts too. */
  constructor(clock: Clock, ms: number, also: AbortSignal | undefined) {
    this.#clock = clock;
    this.#deadline = clock.monotonic() + ms;
    this.signal = also === undefined ? this.#ranOut.signal : AbortSignal.any([also, this.#ranOut.signal]);
    this.#watch().catch(() => undefined);
  }

  readonly signal: AbortSignal;

  get ranOut(): boolean {
    return this.#ranOut.signal.aborted;
  }

  /** Something came or went: `ms` from now. */
  touch(ms: number): void {
    this.#deadline = this.#clock.monotonic() + ms;
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
  }

  async #watch(): Promise<void> {
    for (;;) {
      const left = this.#deadline - this.#clock.monotonic();
      if (left <= 0) return this.#ranOut.abort();
      await this.#clock.sleep(left, this.#stop.signal);
    }
  }
}
