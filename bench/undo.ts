import type { Undo } from "./contract.ts";

/** What the run made, undone last first. A failure to undo is told and does not stop the rest. */
export class UndoStack implements Undo {
  readonly #actions: { what: string; action: () => Promise<void> | void }[] = [];
  #closing: Promise<void> | undefined;

  add(what: string, action: () => Promise<void> | void): () => Promise<void> {
    const entry = { what, action };
    this.#actions.push(entry);
    return async () => {
      const at = this.#actions.indexOf(entry);
      if (at < 0) return;
      this.#actions.splice(at, 1);
      await action();
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#run();
    return this.#closing;
  }

  async #run(): Promise<void> {
    for (let entry = this.#actions.pop(); entry !== undefined; entry = this.#actions.pop()) {
      try {
        await entry.action();
      } catch (error) {
        console.error(
          `bench: could not undo: ${entry.what}: ${error instanceof Error ? error.message : String(error)}`,
        );
        process.exitCode = 1;
      }
    }
  }
}
