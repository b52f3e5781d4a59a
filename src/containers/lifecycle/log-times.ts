import type { LogOptions } from "./contract.ts";

/** "2026-01-31T12:00:00.123456789" before the offset. */
const timeLength = 29;

/**
 * Whether a line's time is within what was asked. Times are compared as they are written: parsing each would cost more
 * than reading it.
 */
export class TimeRange {
  readonly #since: TimeBound | undefined;
  readonly #until: TimeBound | undefined;

  constructor({ since, until }: LogOptions) {
    this.#since = since === undefined ? undefined : new TimeBound(since);
    this.#until = until === undefined ? undefined : new TimeBound(until);
  }

  get everything(): boolean {
    return this.#since === undefined && this.#until === undefined;
  }

  place(timestamp: string): "before" | "within" | "after" {
    if (this.#since !== undefined && this.#since.compare(timestamp) < 0) return "before";
    return this.#until !== undefined && this.#until.compare(timestamp) > 0 ? "after" : "within";
  }
}

class TimeBound {
  readonly #milliseconds: number;
  /** As written at each offset from UTC that the log has (it changes with the season). */
  readonly #texts = new Map<string, string>();

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
  }

  compare(timestamp: string): number {
    const offset = timestamp.slice(timeLength);
    let bound = this.#texts.get(offset);
    if (bound === undefined) {
      bound = this.#at(offset);
      this.#texts.set(offset, bound);
    }
    const time = timestamp.slice(0, timeLength);
    if (time === bound) return 0;
    return time < bound ? -1 : 1;
  }

  #at(offset: string): string {
    const match = /^([+-])(\d\d):(\d\d)$/.exec(offset);
    const minutes = match === null ? 0 : (Number(match[2]) * 60 + Number(match[3])) * (match[1] === "-" ? -1 : 1);
    const whole = Math.floor(this.#milliseconds);
    const beyond = Math.floor((this.#milliseconds - whole) * 1_000_000);
    return `${new Date(whole + minutes * 60_000).toISOString().slice(0, 23)}${String(beyond).padStart(6, "0")}`;
  }
}
