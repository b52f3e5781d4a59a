/** Messages for the other side, in order; the stream of them ends with `end`, or when it is no longer read. */
export class Outbox<T> implements AsyncIterable<T> {
  readonly #messages: T[] = [];
  #ended = false;
  #wake: () => void = () => undefined;
  #taken: () => void = () => undefined;

  /** Resolves when fewer than `limit` wait, or nobody takes them any more. */
  async roomFor(limit: number): Promise<void> {
    while (this.#messages.length >= limit && !this.#ended)
      await new Promise<void>((resolve) => {
        const before = this.#taken;
        this.#taken = () => {
          before();
          resolve();
        };
      });
  }

  send(message: T): void {
    this.#messages.push(message);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
    this.#told();
  }

  #told(): void {
    const taken = this.#taken;
    this.#taken = () => undefined;
    taken();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    try {
      for (;;) {
        const message = this.#messages.shift();
        this.#told();
        if (message !== undefined) yield message;
        else if (this.#ended) return;
        else
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
      }
    } finally {
      this.end();
    }
  }
}
