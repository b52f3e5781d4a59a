import type { ProgressLine } from "#formats/docker/contract.ts";
import type { Terminal } from "../contract.ts";

const barWidth = 28;

/** Live lines of many tasks at once on a terminal; one plain line a change of status elsewhere. */
export class ProgressView {
  readonly #terminal: Terminal;
  readonly #rows = new Map<string, ProgressLine>();
  readonly #lastStatus = new Map<string, string>();
  #drawn = 0;
  #next = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show(line: ProgressLine): void {
    if (line.id === undefined) {
      this.#erase();
      if (line.status !== undefined) this.#terminal.write(`${line.status}\n`);
      this.#drawn = 0;
      this.#draw(true);
      return;
    }
    this.#rows.set(line.id, line);
    if (this.#terminal.isTerminal) this.#draw(false);
    else if (this.#lastStatus.get(line.id) !== line.status) {
      this.#lastStatus.set(line.id, line.status ?? "");
      this.#terminal.write(`${line.id}: ${line.status ?? ""}\n`);
    }
  }

  /** Leaves the last state on the screen. */
  finish(): void {
    this.#draw(true);
    this.#rows.clear();
    this.#drawn = 0;
  }

  #erase(): void {
    if (this.#terminal.isTerminal && this.#drawn > 0) this.#terminal.write(`\x1b[${this.#drawn}A\x1b[J`);
  }

  #draw(now: boolean): void {
    if (!this.#terminal.isTerminal || this.#rows.size === 0) return;
    const clock = performance.now();
    if (!now && clock < this.#next) return;
    this.#next = clock + 50;
    const lines = [...this.#rows].map(([id, line]) =>
      Bun.sliceAnsi(`${id}: ${describeRow(line)}`, 0, this.#terminal.columns - 1),
    );
    this.#erase();
    this.#terminal.write(lines.map((line) => `${line}\n`).join(""));
    this.#drawn = lines.length;
  }
}

function describeRow(line: ProgressLine): string {
  const { current, total } = line.progressDetail ?? {};
  if (current === undefined) return line.status ?? "";
  return `${(line.status ?? "").padEnd(12)} ${total === undefined || total === 0 ? "" : bar(current / total)} ${line.progress ?? ""}`;
}

export function bar(fraction: number): string {
  const done = Math.max(0, Math.min(barWidth, Math.round(fraction * barWidth)));
  return `[${"=".repeat(Math.max(0, done - 1))}${done > 0 ? ">" : ""}${" ".repeat(barWidth - done)}]`;
}
