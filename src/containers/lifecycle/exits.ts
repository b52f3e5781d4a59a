import { existsSync, mkdirSync, readFileSync, rmSync, watch } from "node:fs";
import { join } from "node:path";

/** Watches for conmon's exit files with one inotify watch for all containers. */
export class ExitWatcher implements Disposable {
  readonly #folder: string;
  readonly #waiting = new Map<string, (code: number) => void>();
  readonly #watcher: ReturnType<typeof watch>;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#watcher = watch(folder, (_event, name) => {
      if (typeof name === "string") this.look(name);
    });
  }

  /** Calls back once, when the exit file is there; at once when it is there already. */
  expect(id: string, onExit: (code: number) => void): void {
    this.#waiting.set(id, onExit);
    this.look(id);
  }

  /** Looks now; whoever learns of an end by another way calls it too. */
  look(id: string): boolean {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return false;
    const code = readExitFile(join(this.#folder, id));
    if (code === undefined) return false;
    this.#waiting.delete(id);
    waiting(code);
    return true;
  }

  forget(id: string): void {
    this.#waiting.delete(id);
    rmSync(join(this.#folder, id), { force: true });
  }

  [Symbol.dispose](): void {
    this.#watcher.close();
    this.#waiting.clear();
  }
}

/** conmon writes it under another name and renames: it is whole or not there. */
export function readExitFile(path: string): number | undefined {
  if (!existsSync(path)) return undefined;
  const text = readFileSync(path, "utf8").trim();
  return /^-?\d+$/.test(text) ? Number(text) : undefined;
}
