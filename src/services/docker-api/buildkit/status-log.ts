import type { MessageInitShape } from "@bufbuild/protobuf";
import type { StatusResponseSchema } from "./protos/control.gen.ts";

export type StatusMessage = MessageInitShape<typeof StatusResponseSchema>;

/** Everything told about one build; each reader gets it from the beginning, and waits for more until it ends. */
export class StatusLog {
  readonly #messages: StatusMessage[] = [];
  readonly #waiting = new Set<() => void>();
  #ended = false;

  tell(message: StatusMessage): void {
    this.#messages.push(message);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *read(signal: AbortSignal): AsyncGenerator<StatusMessage> {
    for (let next = 0; !signal.aborted; ) {
      const message = this.#messages[next];
      if (message !== undefined) {
        next += 1;
        yield message;
      } else if (this.#ended) return;
      else await this.#more(signal);
    }
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
