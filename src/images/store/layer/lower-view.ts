import type { FileStatus } from "#base/system/files/contract.ts";
import { closeFd, openAt, openFlags, openFolder } from "#base/system/files/open.ts";
import { statAt } from "#base/system/files/status.ts";
import { getXattrAt } from "#base/system/files/xattr.ts";

/** A name as the lower layers show it, and the open folder it is in. */
export interface LowerFile {
  readonly status: FileStatus;
  readonly folder: number;
}

const dot = Buffer.from(".");

/** One folder as overlayfs would merge it from the lower layers, without mounting them. Nearest layer first. */
export class LowerFolder implements Disposable {
  readonly #layers: readonly number[];

  private constructor(layers: readonly number[]) {
    this.#layers = layers;
  }

  static top(lowers: readonly string[]): LowerFolder {
    return new LowerFolder(lowers.map((lower) => openFolder(lower).fd));
  }

  /** Of an opaque or a new folder. */
  static none(): LowerFolder {
    return new LowerFolder([]);
  }

  find(name: Uint8Array): LowerFile | undefined {
    for (const folder of this.#layers) {
      const status = statAt(folder, name);
      if (typeof status !== "object") continue;
      return isWhiteout(status) ? undefined : { status, folder };
    }
    return undefined;
  }

  /** The merged folder of that name; of nothing when the layers have none. */
  enter(name: Uint8Array): LowerFolder {
    const layers: number[] = [];
    for (const folder of this.#layers) {
      const status = statAt(folder, name);
      if (typeof status !== "object") continue;
      if (status.kind !== "directory") break;
      const fd = openAt(folder, name, openFlags.directory | openFlags.noFollow);
      if (fd < 0) break;
      layers.push(fd);
      if (isOpaque(fd)) break;
    }
    return new LowerFolder(layers);
  }

  [Symbol.dispose](): void {
    for (const fd of this.#layers) closeFd(fd);
  }
}

export function isWhiteout(status: FileStatus): boolean {
  return status.kind === "character" && status.major === 0 && status.minor === 0;
}

/** Whether an open folder hides what lies below it. "x" only announces whiteouts of another kind. */
export function isOpaque(folder: number): boolean {
  for (const name of ["trusted.overlay.opaque", "user.overlay.opaque"]) {
    const value = getXattrAt(folder, dot, name);
    if (typeof value !== "number" && value.length === 1 && value[0] === 0x79) return true;
  }
  return false;
}
