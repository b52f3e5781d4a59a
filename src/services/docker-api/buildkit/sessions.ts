import { GantryError } from "#base/core/errors.ts";
import type { Session, Sessions } from "./contract.ts";

/** A client opens its session and asks for the build at the same time: either may come first. */
const patience = 10_000;

export class OpenSessions implements Sessions {
  readonly #open = new Map<string, Session>();
  readonly #waiting = new Set<() => void>();

  async hold(session: Session, over: Promise<void>): Promise<void> {
    if (session.id === "" || this.#open.has(session.id)) {
      throw new GantryError("conflict", {
        doing: "open the session",
        on: session.id,
        because: "another client has one with this id",
      });
    }
    this.#open.set(session.id, session);
    for (const look of this.#waiting) look();
    try {
      await over;
    } finally {
      this.#open.delete(session.id);
    }
  }

  find(id: string, signal: AbortSignal): Promise<Session> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const session = this.#open.get(id);
        if (session === undefined) return;
        settle();
        resolve(session);
      };
      const fail = () => {
        settle();
        reject(
          signal.aborted
            ? signal.reason
            : new GantryError("not-found", {
                doing: "call the client's session",
                on: id,
                because: "no such session was opened",
              }),
        );
      };
      const timer = setTimeout(fail, patience);
      const settle = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", fail);
        this.#waiting.delete(look);
      };
      this.#waiting.add(look);
      signal.addEventListener("abort", fail, { once: true });
      if (signal.aborted) fail();
      else look();
    });
  }
}
