import { closeSync, mkdirSync, openSync, rmSync, statSync } from "node:fs";
import type { ContainerConfig } from "./contract.ts";
import { type LogPlace, liveInode, segmentNumbers, segmentPath, survey } from "./log-files.ts";
import { nameFiles } from "./log-naming.ts";

const defaultSize = 256 * 1024 * 1024;
/** conmon fills two smaller files faster than a busy machine lets anybody look (10 ms and more were seen). */
const leastSize = 1024 * 1024;

/** The size of a file and how many to keep; smaller ones than can be kept up with become fewer. */
export function logBounds({ logSizeMax: size = defaultSize, logFiles: files = 1 }: ContainerConfig): {
  readonly sizeMax: number;
  readonly keep: number;
} {
  if (files === 1 || size >= leastSize) return { sizeMax: size, keep: files };
  return { sizeMax: leastSize, keep: Math.max(2, Math.floor((size * files) / leastSize)) };
}

/**
 * Keeps several files of a log. conmon decides when a file is full: it counts what it writes, so no file grows over
 * its size, nothing is polled, and while a log does not turn nobody is woken. The engine only gives files their second
 * names when the kernel says that "log" became another file (`logNaming`), and drops the oldest. It may be late by one
 * whole file, because the next one is made ahead; while no engine runs conmon goes on and drops the oldest itself.
 */
export class LogRotation {
  readonly #place: LogPlace;
  /** Files to keep, the one being written among them. */
  readonly #keep: number;
  readonly #followers = new Set<() => void>();

  constructor(place: LogPlace, keep: number) {
    this.#place = place;
    this.#keep = keep;
  }

  /** Before conmon starts. It counts from 0 even in a file that has lines: one that is half full is left. */
  prepare(sizeMax: number): void {
    const { segments, log, nextLog } = this.#place;
    mkdirSync(segments, { recursive: true, mode: 0o700 });
    const size = statSync(log, { throwIfNoEntry: false })?.size;
    if (size !== undefined && size >= sizeMax / 2) {
      nameFiles(this.#place);
      rmSync(log);
    }
    rmSync(nextLog, { force: true });
    for (const number of segmentNumbers(this.#place)) {
      // Made ahead in an earlier run and never used.
      if (statSync(segmentPath(this.#place, number)).size === 0) rmSync(segmentPath(this.#place, number));
    }
    if (liveInode(this.#place) === undefined) closeSync(openSync(log, "ax", 0o600));
    nameFiles(this.#place);
    this.turned();
  }

  /** Drops the oldest files, once followers have opened what they have not read. */
  turned(): void {
    // Looked at first: what is begun after the followers looked is not counted.
    const { begun } = survey(this.#place);
    for (const tell of this.#followers) tell();
    for (const number of begun.slice(0, -this.#keep)) rmSync(segmentPath(this.#place, number), { force: true });
  }

  /** Called when there may be another file, before the oldest goes. */
  follow(onTurn: () => void): Disposable {
    this.#followers.add(onTurn);
    return { [Symbol.dispose]: () => void this.#followers.delete(onTurn) };
  }
}
