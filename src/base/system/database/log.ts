import { closeSync, fdatasyncSync, fstatSync, fsyncSync, openSync, statfsSync, writeSync } from "node:fs";

/** SQLite begins the log anew after 1,000 pages; what is beyond is room for a big transaction. */
const bytes = 4.5 * 1024 * 1024;
/** The log may be at most this part of the room on its disk. */
const part = 16;

/**
 * SQLite's write-ahead log, synced by us: SQLite's own fsync after each commit waits for the file system's journal, so
 * for all that others write there (measured: up to 300 ms while a layer is unpacked). fdatasync on bytes that have
 * their place on disk does not; so the log's room is written once ahead, and SQLite is told to keep the file.
 */
export class Log implements Disposable {
  readonly #fd: number;

  constructor(path: string) {
    this.#fd = openSync(path, "r+");
  }

  /** Zeros are no frames: SQLite reads the log up to them. */
  fill(): void {
    const { size } = fstatSync(this.#fd);
    const { bavail, bsize } = statfsSync(`/proc/self/fd/${this.#fd}`);
    if (size >= bytes || bavail * bsize < bytes * part) return;
    const zeros = new Uint8Array(bytes - size);
    for (let done = 0; done < zeros.length; ) done += writeSync(this.#fd, zeros, done, undefined, size + done);
    fsyncSync(this.#fd);
  }

  sync(): void {
    fdatasyncSync(this.#fd);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
