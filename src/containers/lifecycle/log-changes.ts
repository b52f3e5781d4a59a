import { watch } from "node:fs";
import { dirname } from "node:path";
import { isMissing } from "./log-files.ts";

/**
 * Milliseconds. `fs.watch` is armed by another thread some time after it returned: what is written until then is told
 * by nobody, and may be the last for long.
 */
const lookAgain = 500;

/** Wakes one follower when its log's folder changes, or when told. Only there while somebody follows. */
export class LogChanges implements Disposable {
  readonly #watcher: ReturnType<typeof watch> | undefined;
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #dirty = false;
  #wake: (() => void) | undefined;

  constructor(log: string, follows: boolean, signal: AbortSignal | undefined) {
    if (!follows) return;
    try {
      this.#watcher = watch(dirname(log), () => this.notify());
    } catch (error) {
      // No folder: nothing was ever written.
      if (!isMissing(error)) throw error;
    }
    this.#timer = setInterval(() => this.notify(), lookAgain);
    signal?.addEventListener("abort", () => this.notify(), { once: true });
  }

  notify(): void {
    this.#dirty = true;
    this.#wake?.();
  }

  async next(): Promise<void> {
    if (!this.#dirty) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#dirty = false;
    this.#wake = undefined;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#watcher?.close();
  }
}
