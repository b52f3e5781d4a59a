/** Runs at most so many works at a time, in the order they were given. */
export class Lanes {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(lanes: number) {
    this.#free = lanes;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}

/**
 * Works that stand or fall together: the first failure stops the others through `signal`, and is thrown when all have
 * ended, so that nothing goes on behind the caller's back.
 */
export async function together(
  outer: AbortSignal | undefined,
  begin: (signal: AbortSignal) => readonly Promise<unknown>[],
): Promise<void> {
  const failed = new AbortController();
  let first: { readonly error: unknown } | undefined;
  const signal = outer === undefined ? failed.signal : AbortSignal.any([outer, failed.signal]);
  const works = begin(signal).map((work) =>
    work.catch((error: unknown) => {
      first ??= { error };
      failed.abort(error);
    }),
  );
  await Promise.all(works);
  if (first !== undefined) throw first.error;
}
