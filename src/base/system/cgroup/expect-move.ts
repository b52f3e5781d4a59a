import { closeSync, openSync, readFileSync, write } from "node:fs";
import { join } from "node:path";
import { readMountTable } from "#base/system/mounts/table.ts";

/**
 * Every move of a process between cgroups takes one lock of the whole kernel, and the first taker after a while waits
 * 10 to 20 ms for a grace period; who comes within the next one does not wait. `expectMove` takes the lock ahead of
 * time, by a move of this process to where it is already, so that the grace period passes while other work is done.
 */
export class MoveExpectation implements Disposable {
  readonly #fd: number | undefined;
  #writing = false;

  constructor() {
    this.#fd = openOwnGroup();
  }

  /** Returns at once. Nothing depends on it but time, so an error of the write is no error of anybody's. */
  expectMove(): void {
    if (this.#fd === undefined || this.#writing) return;
    this.#writing = true;
    write(this.#fd, `${process.pid}`, 0, () => {
      this.#writing = false;
    });
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
  }
}

/** undefined where no group of this process can be written: then every start waits, as it would have. */
function openOwnGroup(): number | undefined {
  const table = readMountTable().filter(({ type }) => type === "cgroup" || type === "cgroup2");
  for (const line of readFileSync("/proc/self/cgroup", "utf8").split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    const mounted = table.find(({ type, superOptions }) =>
      controllers === "" ? type === "cgroup2" : type === "cgroup" && superOptions.includes(controllers.split(",")[0]!),
    );
    if (mounted === undefined) continue;
    try {
      return openSync(join(mounted.mountPoint, path, "cgroup.procs"), "w");
    } catch (error) {
      if (!["EACCES", "EPERM", "EROFS", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
  }
  return undefined;
}
