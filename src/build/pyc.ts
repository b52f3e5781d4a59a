import { closeSync, readSync, writeSync } from "node:fs";
import type { FileStatus } from "#base/system/files/contract.ts";
import { openAt, openFlags } from "#base/system/files/open.ts";

/** From Python 3.7 on (PEP 552) a flags word stands before the time. */
const firstWithFlags = 3390;
/** Python 2.7 counts in a range of its own. */
const firstOfPython2 = 60_000;

/** Where a compiled file's header holds its source's time; undefined when it holds none (hash-based, or no pyc). */
function timeOffset(header: Buffer): number | undefined {
  // The magic number's upper half is "\r\n", always.
  if (header.length < 16 || header[2] !== 0x0d || header[3] !== 0x0a) return undefined;
  const magic = header.readUInt16LE(0);
  if (magic >= firstOfPython2 || magic < firstWithFlags) return 4;
  return header.readUInt32LE(4) === 0 ? 8 : undefined;
}

/**
 * Makes a compiled file name `layerTime` as its source's time, when it names the time the source has now and that is
 * newer. A stale one stays stale. Says whether it changed.
 */
export function renewCompiled(folder: number, name: Uint8Array, source: FileStatus, layerTime: number): boolean {
  if (source.modified.seconds <= layerTime) return false;
  const fd = openAt(folder, name, openFlags.readWrite | openFlags.noFollow | openFlags.nonBlock);
  if (fd < 0) return false;
  try {
    const header = Buffer.alloc(16);
    const length = readSync(fd, header, 0, 16, 0);
    const at = timeOffset(header.subarray(0, length));
    if (at === undefined || header.readUInt32LE(at) !== source.modified.seconds % 2 ** 32) return false;
    const time = Buffer.alloc(4);
    time.writeUInt32LE(layerTime % 2 ** 32);
    writeSync(fd, time, 0, 4, at);
    return true;
  } finally {
    closeSync(fd);
  }
}

const compiled = /^(.+?)(?:\.(?:cpython|pypy)[^.]*(?:\.opt-[12])?)?\.py[co]$/;

/** "x.cpython-311.pyc" is compiled from "x.py". */
export function sourceOfCompiled(name: string): string | undefined {
  const match = compiled.exec(name);
  return match === null ? undefined : `${match[1]}.py`;
}
