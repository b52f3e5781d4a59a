import type { MessageInitShape } from "@bufbuild/protobuf";
import type { StatusResponseSchema } from "./protos/control.gen.ts";

export type StatusMessage = MessageInitShape<typeof StatusResponseSchema>;

/** Bytes of steps' output that are kept for whoever asks later. */
const bound = 4 * 1024 * 1024;

/**
 * What is told about one build; each reader gets it from the beginning, and waits for more until it ends. Of output
 * beyond the bound the oldest is forgotten: only a reader who is that far behind misses it.
 */
export class StatusLog {
  readonly #messages: StatusMessage[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #bound: number;
  /** How many were forgotten before the first that is here. */
  #forgotten = 0;
  #bytes = 0;
  #ended = false;

  constructor(bytes = bound) {
    this.#bound = bytes;
  }

  tell(message: StatusMessage): void {
    this.#messages.push(message);
    this.#bytes += outputOf(message);
    // Twice the bound, so that moving the rest up is rare.
    if (this.#bytes > 2 * this.#bound) this.#forget();
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *read(signal: AbortSignal): AsyncGenerator<StatusMessage> {
    for (let next = 0; !signal.aborted; ) {
      next = Math.max(next, this.#forgotten);
      const message = this.#messages[next - this.#forgotten];
      if (message !== undefined) {
        next += 1;
        yield message;
      } else if (this.#ended) return;
      else await this.#more(signal);
    }
  }

  /** Drops the oldest output; what says which steps there are stays, in front. */
  #forget(): void {
    let end = 0;
    for (; this.#bytes > this.#bound; end += 1) this.#bytes -= outputOf(this.#messages[end]!);
    const kept = this.#messages.slice(0, end).filter((message) => outputOf(message) === 0);
    this.#messages.splice(0, end, ...kept);
    this.#forgotten += end - kept.length;
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  #more(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake);
    });
  }
}

function outputOf({ logs = [] }: StatusMessage): number {
  return logs.reduce((sum, { msg }) => sum + (msg?.length ?? 0), 0);
}
