import { createHash } from "node:crypto";
import { type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { StatusLog } from "./status-log.ts";

/** Milliseconds. */
const renewal = 100;

/** One line of a build as clients show it: it starts, says things, is done. */
export class Vertex {
  readonly digest: string;
  readonly #log: StatusLog;
  readonly #name: string;
  readonly #started: Timestamp;
  readonly #now: () => number;
  readonly #statuses = new Map<string, { readonly started: Timestamp; told: number }>();

  constructor(log: StatusLog, ref: string, index: number, name: string, now: () => number) {
    this.digest = `sha256:${createHash("sha256").update(`${ref}\0${index}\0${name}`).digest("hex")}`;
    this.#log = log;
    this.#name = name;
    this.#now = now;
    this.#started = timestampFromMs(now());
    this.#log.tell({ vertexes: [{ digest: this.digest, name, started: this.#started }] });
  }

  say(stream: 1 | 2, msg: Uint8Array<ArrayBuffer>): void {
    this.#log.tell({
      logs: [{ vertex: this.digest, timestamp: timestampFromMs(this.#now()), stream: BigInt(stream), msg }],
    });
  }

  /** A line of its own below the vertex, renewed as it goes on; not more often than anybody can see. */
  progress(id: string, current: number, total = 0, isDone = false): void {
    const now = this.#now();
    const known = this.#statuses.get(id);
    if (known !== undefined && !isDone && now - known.told < renewal) return;
    const timestamp = timestampFromMs(now);
    const started = known?.started ?? timestamp;
    this.#statuses.set(id, { started, told: now });
    const amounts = { current: BigInt(current), total: BigInt(total) };
    const completed = isDone ? { completed: timestamp } : {};
    this.#log.tell({ statuses: [{ id, vertex: this.digest, ...amounts, timestamp, started, ...completed }] });
  }

  warn(text: string): void {
    this.#log.tell({ warnings: [{ vertex: this.digest, level: 1n, short: Buffer.from(text) }] });
  }

  done(outcome: { readonly cached?: boolean; readonly error?: string } = {}): void {
    const { digest } = this;
    const completed = timestampFromMs(this.#now());
    this.#log.tell({ vertexes: [{ digest, name: this.#name, started: this.#started, completed, ...outcome }] });
  }
}
