import { applyRules } from "#base/system/nftables/nft.ts";

/**
 * Changes of the packet rules. Those of single elements run side by side; the tables made anew stand alone, for what
 * was written between their text and their transaction would be lost.
 */
export class RuleWriter {
  readonly #all: () => string;
  readonly #running = new Set<Promise<void>>();
  #rebuilding: Promise<void> = Promise.resolve();

  /** `all`: the tables anew with what is held; asked for when nothing else is being written. */
  constructor(all: () => string) {
    this.#all = all;
  }

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

  /**
   * Takes elements away whose holder is forgotten already. Where they cannot be, because somebody changed our tables,
   * all is made anew: an element left behind would lead to whoever gets its address next.
   */
  async remove(text: string): Promise<void> {
    try {
      await this.change(text);
    } catch {
      await this.rebuild();
    }
  }

  rebuild(): Promise<void> {
    const work = this.#rebuilding.then(async () => {
      await Promise.allSettled(this.#running);
      await applyRules(this.#all());
    });
    // Others wait for its end, whichever; its failure is told to who asked.
    this.#rebuilding = work.catch(() => undefined);
    return work;
  }
}
