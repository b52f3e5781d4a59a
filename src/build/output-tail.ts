/** Keeps the last lines of a process's output, for the error that says why it failed. */
export class OutputTail {
  readonly #lines: string[] = [];
  readonly #decoder = new TextDecoder();
  #open = "";
  readonly #keep: number;

  constructor(keep = 20) {
    this.#keep = keep;
  }

  write(bytes: Uint8Array): void {
    const parts = (this.#open + this.#decoder.decode(bytes, { stream: true })).split("\n");
    // A line without end is cut from the front: its newest part says most.
    this.#open = parts.pop()!.slice(-2000);
    this.#lines.push(...parts.map((line) => line.slice(-2000).replace(/\r$/, "")));
    this.#lines.splice(0, Math.max(0, this.#lines.length - this.#keep));
  }

  lines(): string[] {
    const all = this.#open === "" ? this.#lines : [...this.#lines, this.#open];
    return all.slice(-this.#keep);
  }
}
