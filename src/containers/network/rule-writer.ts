import { applyRules } from "#base/system/nftables/nft.ts";

/**
 * Changes of the packet rules. Those of single elements run side by side; the tables made anew stand alone, for what
 * was written between their text and their transaction would be lost.
 */
export class RuleWriter {
  readonly #running = new Set<Promise<void>>();
  #rebuilding: Promise<void> = Promise.resolve();

  async change(text: string): Promise<void> {
    await this.#rebuilding;
    const work = applyRules(text);
    this.#running.add(work);
    try {
      await work;
    } finally {
      this.#running.delete(work);
    }
  }

  /** `text` is asked for when nothing else is being written. */
  rebuild(text: () => string): Promise<void> {
    const work = this.#rebuilding.then(async () => {
      await Promise.allSettled(this.#running);
      await applyRules(text());
    });
    // Others wait for its end, whichever; its failure is told to who asked.
    this.#rebuilding = work.catch(() => undefined);
    return work;
  }
}
