import type { Terminal } from "../contract.ts";
import { paint } from "./colour.ts";

/** The builder's events as they come over the wire (see BuildEvent of the builder's contract). */
export interface WireEvent {
  readonly type: string;
  readonly step?: number;
  readonly of?: number;
  readonly text?: string;
  readonly stream?: string;
  readonly milliseconds?: number;
  readonly layer?: { readonly digest: string; readonly size: number };
  readonly what?: string;
  readonly done?: number;
  readonly total?: number;
  readonly rule?: string;
  readonly paths?: readonly string[];
}

export interface BuildView {
  event(event: WireEvent): void;
  finish(): void;
}

const logLines = 6;

function seconds(milliseconds: number | undefined): string {
  return `${((milliseconds ?? 0) / 1000).toFixed(1)}s`;
}

/** One line for each thing that happens; for logs and pipes. */
export class PlainBuildView implements BuildView {
  readonly #out: Terminal;
  readonly #explain: boolean;
  #partial = "";

  constructor(out: Terminal, explain: boolean) {
    this.#out = out;
    this.#explain = explain;
  }

  event(event: WireEvent): void {
    const mark = `#${event.step ?? 0}`;
    if (event.type === "step") this.#out.write(`${mark} [${event.step}/${event.of}] ${event.text}\n`);
    else if (event.type === "cached") this.#out.write(`${mark} CACHED\n`);
    else if (event.type === "log") this.#log(mark, event.text ?? "");
    else if (event.type === "done") {
      this.finish(mark);
      this.#out.write(`${mark} DONE ${seconds(event.milliseconds)}\n`);
    } else if (event.type === "warning") this.#out.write(`WARNING: ${event.text}\n`);
    else if (event.type === "normalised" && this.#explain)
      this.#out.write(`${mark} normalised (${event.rule}): ${event.paths?.join(", ")}\n`);
  }

  finish(mark = "#"): void {
    if (this.#partial !== "") this.#out.write(`${mark} ${this.#partial}\n`);
    this.#partial = "";
  }

  #log(mark: string, text: string): void {
    const lines = (this.#partial + text).split("\n");
    this.#partial = lines.pop()!;
    for (const line of lines) this.#out.write(`${mark} ${line}\n`);
  }
}

/** Finished steps stand, the one that runs shows its last lines. */
export class LiveBuildView implements BuildView {
  readonly #out: Terminal;
  #title = "";
  #began = 0;
  #lines: string[] = [];
  #partial = "";
  #progress = "";
  #drawn = 0;
  #cached = false;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(out: Terminal) {
    this.#out = out;
    this.#timer = setInterval(() => this.#draw(), 100);
  }

  event(event: WireEvent): void {
    switch (event.type) {
      case "step":
        this.#title = `[${event.step}/${event.of}] ${event.text}`;
        this.#began = performance.now();
        this.#lines = [];
        this.#partial = "";
        this.#progress = "";
        this.#cached = false;
        break;
      case "cached":
        this.#cached = true;
        break;
      case "log":
        this.#log(event.text ?? "");
        break;
      case "progress":
        this.#progress = `${event.what}`;
        break;
      case "done":
        this.#stand(
          `${paint(this.#out, "green", "✓")} ${this.#title} ${paint(this.#out, "dim", this.#cached ? "cached" : seconds(event.milliseconds))}`,
        );
        this.#title = "";
        break;
      case "warning":
        this.#stand(`${paint(this.#out, "yellow", "!")} ${event.text}`);
        break;
    }
  }

  finish(): void {
    clearInterval(this.#timer);
    if (this.#title === "") {
      this.#erase();
      return;
    }
    // It failed: what it wrote last stays on the screen.
    this.#stand(`${paint(this.#out, "red", "✗")} ${this.#title}`);
    const last = this.#partial === "" ? [] : [this.#partial];
    for (const line of [...this.#lines, ...last]) this.#out.write(`   ${line}\n`);
  }

  #log(text: string): void {
    const lines = (this.#partial + text).split("\n");
    this.#partial = lines.pop()!;
    this.#lines = [...this.#lines, ...lines.map((line) => line.split("\r").at(-1)!)].slice(-logLines);
  }

  #fit(line: string): string {
    return Bun.sliceAnsi(line, 0, Math.max(20, this.#out.columns - 1));
  }

  #stand(line: string): void {
    this.#erase();
    this.#out.write(`${this.#fit(line)}\n`);
  }

  #erase(): void {
    if (this.#drawn > 0) this.#out.write(`\x1b[${this.#drawn}A\x1b[J`);
    this.#drawn = 0;
  }

  #draw(): void {
    if (this.#title === "") return;
    this.#erase();
    const spent = seconds(performance.now() - this.#began);
    const body = this.#lines.length > 0 ? this.#lines : this.#progress === "" ? [] : [this.#progress];
    const lines = [
      `${paint(this.#out, "cyan", "▸")} ${this.#title} ${paint(this.#out, "dim", spent)}`,
      ...body.map((line) => paint(this.#out, "dim", `   ${Bun.stripANSI(line)}`)),
    ];
    this.#out.write(lines.map((line) => `${this.#fit(line)}\n`).join(""));
    this.#drawn = lines.length;
  }
}
