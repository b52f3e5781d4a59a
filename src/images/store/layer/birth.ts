import type { FileStatus } from "#base/system/files/contract.ts";
import { statFd } from "#base/system/files/status.ts";
import type { Metadata } from "./metadata.ts";

/** The permission bits that open(2) is asked for in the first file of a folder, so that all that is taken away shows. */
const everyBit = 0o777;

/**
 * What the kernel gives files at birth in the folder at hand: owner and mode are then set only where they must differ,
 * and each of the two is a journal entry less. It depends on the caller, the umask, and the folder's setgid bit and
 * default ACL, so the first file made there is asked. `forget` belongs before every change of a folder.
 */
export class Birth {
  #folder: string | undefined;
  #uid = 0;
  #gid = 0;
  #kept = 0;

  /** The mode to open a new file of `folder` with. */
  modeFor(folder: string, metadata: Metadata): number {
    return this.#folder === folder ? metadata.mode & everyBit : everyBit;
  }

  /** Which of owner and mode the file just made with {@link modeFor} lacks. */
  lacks(folder: string, fd: number, metadata: Metadata): { readonly owner: boolean; readonly mode: boolean } {
    const first = this.#folder !== folder;
    if (first && !this.#learn(folder, fd)) return { owner: true, mode: true };
    const owner = metadata.uid !== this.#uid || metadata.gid !== this.#gid;
    const born = (first ? everyBit : metadata.mode) & this.#kept;
    // A new owner clears setuid and capabilities: the mode goes after it.
    return { owner, mode: born !== metadata.mode };
  }

  forget(): void {
    this.#folder = undefined;
  }

  #learn(folder: string, fd: number): boolean {
    const born = statFd(fd) as FileStatus | number;
    if (typeof born === "number") return false;
    this.#folder = folder;
    this.#uid = born.uid;
    this.#gid = born.gid;
    this.#kept = born.mode & everyBit;
    return true;
  }
}
