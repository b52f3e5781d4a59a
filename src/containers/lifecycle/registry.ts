import { GantryError } from "#base/core/errors.ts";
import type { Entry } from "./context.ts";

/** The containers in memory, found by id, a unique beginning of one, or name. */
export class Registry {
  readonly #byId = new Map<string, Entry>();

  add(entry: Entry): void {
    this.#byId.set(entry.record.id, entry);
  }

  delete(id: string): void {
    this.#byId.delete(id);
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  all(): Entry[] {
    return [...this.#byId.values()];
  }

  named(name: string): Entry | undefined {
    for (const entry of this.#byId.values()) if (entry.record.name === name) return entry;
    return undefined;
  }

  /** Errors: "not-found"; "conflict" when several ids begin with it. */
  find(text: string): Entry {
    const whole = this.#byId.get(text) ?? this.named(text.replace(/^\//, ""));
    if (whole !== undefined) return whole;
    const isId = /^[0-9a-f]{1,64}$/.test(text);
    const matches = isId ? this.all().filter((entry) => entry.record.id.startsWith(text)) : [];
    if (matches.length === 1) return matches[0]!;
    throw new GantryError(matches.length > 1 ? "conflict" : "not-found", {
      doing: "find the container",
      on: text,
      because: matches.length > 1 ? `${matches.length} ids begin with it` : "there is none of that name or id",
      next: matches.length > 1 ? "Give more of the id." : "`gantry ps -a` lists all.",
    });
  }
}
