const remembered = 10_000;

/** Until when something asked for lately is kept; the oldest of too many are forgotten. */
export class Recent {
  readonly #until = new Map<string, number>();
  readonly #keep: number;
  readonly #now: () => number;

  /** `keep` in milliseconds. */
  constructor(keep: number, now: () => number) {
    this.#keep = keep;
    this.#now = now;
  }

  touch(key: string): void {
    this.#until.delete(key);
    this.#until.set(key, this.#now() + this.#keep);
    if (this.#until.size > remembered) this.#until.delete(this.#until.keys().next().value as string);
  }

  /** Milliseconds since 1970, in the future; undefined when it need not be kept. */
  until(key: string): number | undefined {
    const until = this.#until.get(key);
    return until === undefined || until <= this.#now() ? undefined : until;
  }
}
