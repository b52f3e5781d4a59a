import { chmodSync, chownSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "#formats/oci/digest.ts";

export interface CacheRequest {
  readonly id: string;
  readonly sharing: "shared" | "private" | "locked";
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A cache folder while a RUN uses it. */
export interface HeldCache extends Disposable {
  readonly folder: string;
}

/**
 * The folders behind `RUN --mount=type=cache`: they outlive builds, are never in a layer and in no step's key. "shared"
 * is used side by side, "locked" by one after the other, "private" gives whoever finds one in use another.
 */
export class CacheMounts {
  readonly #root: string;
  readonly #users = new Map<string, number>();
  readonly #waiting = new Set<() => void>();

  constructor(root: string) {
    this.#root = root;
  }

  /** Errors: the signal's reason while it waits. */
  async hold(request: CacheRequest, signal: AbortSignal): Promise<HeldCache> {
    const first = digestOf(request.id).slice("sha256:".length, "sha256:".length + 32);
    let name = first;
    if (request.sharing === "private") for (let next = 1; this.#users.has(name); next += 1) name = `${first}-${next}`;
    if (request.sharing === "locked") while (this.#users.has(name)) await this.#change(signal);
    this.#users.set(name, (this.#users.get(name) ?? 0) + 1);
    return { folder: this.#folder(name, request), [Symbol.dispose]: () => this.#release(name) };
  }

  /** Folders that nothing uses now. */
  idle(): string[] {
    mkdirSync(this.#root, { recursive: true, mode: 0o700 });
    return readdirSync(this.#root).flatMap((name) => (this.#users.has(name) ? [] : [join(this.#root, name)]));
  }

  #folder(name: string, { mode, uid, gid }: CacheRequest): string {
    const folder = join(this.#root, name);
    if (mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined) {
      chownSync(folder, uid, gid);
      chmodSync(folder, mode);
    }
    return folder;
  }

  #release(name: string): void {
    const left = (this.#users.get(name) ?? 1) - 1;
    if (left > 0) this.#users.set(name, left);
    else this.#users.delete(name);
    for (const wake of this.#waiting) wake();
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", fail);
      };
      const wake = () => {
        settle();
        resolve();
      };
      const fail = () => {
        settle();
        reject(signal.reason);
      };
      this.#waiting.add(wake);
      signal.addEventListener("abort", fail, { once: true });
      if (signal.aborted) fail();
    });
  }
}
