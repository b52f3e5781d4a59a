import { readSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import type { TaskContext } from "#base/system/pool/contract.ts";
import type { Segment, TarEntry } from "#formats/tar/contract.ts";
import { createAutoDecompressor, detectCompression } from "#formats/tar/decompress.ts";
import { createTarReader } from "#formats/tar/reader.ts";
import { type Destination, joinNames, type Metadata, type NewFile, split } from "./destination.ts";

const blockSize = 512;
const probeBytes = 64 * 1024;

/** Whether an open file is a tar, plain or compressed: its first block's checksum decides, not its name. */
export function isArchive(fd: number): boolean {
  const first = Buffer.alloc(probeBytes);
  const length = readSync(fd, first, 0, first.length, 0);
  const bytes = first.subarray(0, length);
  const compression = detectCompression(bytes);
  // These two are told apart only by unpacking, which this program cannot: ADD says so by name.
  if (compression === "xz" || compression === "bzip2") return true;
  return hasChecksum(compression === "none" ? bytes : firstBytes(bytes));
}

function firstBytes(compressed: Uint8Array): Uint8Array {
  const pieces: Uint8Array[] = [];
  try {
    using decompressor = createAutoDecompressor((chunk) => void pieces.push(chunk.slice(0, blockSize)));
    decompressor.push(compressed);
  } catch {
    return new Uint8Array();
  }
  return Buffer.concat(pieces).subarray(0, blockSize);
}

/** The sum of a header's bytes, its own field counted as blanks (POSIX ustar). */
function hasChecksum(block: Uint8Array): boolean {
  if (block.length < blockSize) return false;
  const field = Buffer.from(block.subarray(148, 156)).toString("latin1");
  const match = /^ *([0-7]+)[\0 ]/.exec(field);
  if (match === null) return false;
  let sum = 8 * 0x20;
  for (let at = 0; at < blockSize; at++) if (at < 148 || at >= 156) sum += block[at]!;
  return sum === Number.parseInt(match[1]!, 8);
}

export interface UnpackOptions {
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  readonly mode: number | undefined;
  /** For folders above those the archive holds. */
  readonly above: Metadata;
  /** Times as archived, for `cp`; a build gives everything its one time. */
  readonly keepTimes?: boolean;
}

/** Unpacks an archive below a folder of the image: modes and owners as archived, every time the layer time. */
export function unpackArchive(
  fd: number,
  shown: string,
  destination: Destination,
  target: readonly Uint8Array[],
  options: UnpackOptions,
  context: TaskContext,
): void {
  using unpacking = new Unpacking(destination, target, options);
  const reader = createTarReader(unpacking);
  try {
    using decompressor = createAutoDecompressor((chunk) => reader.push(chunk));
    const piece = Buffer.allocUnsafe(1024 * 1024);
    for (let position = 0; ; ) {
      context.check();
      const length = readSync(fd, piece, 0, piece.length, position);
      if (length === 0) break;
      decompressor.push(piece.subarray(0, length));
      position += length;
    }
    decompressor.finish();
    reader.finish();
  } catch (error) {
    if (!(error instanceof GantryError) || error.kind === "cancelled") throw error;
    const { details } = error.parts;
    throw new GantryError(error.kind, {
      doing: "unpack",
      on: shown,
      because: error.message,
      cause: error,
      // The caller may know better words for what the kernel said.
      ...(details === undefined ? {} : { details }),
    });
  }
}

class Unpacking implements Disposable {
  readonly #destination: Destination;
  readonly #target: readonly Uint8Array[];
  readonly #options: UnpackOptions;
  #file: { readonly file: NewFile; readonly entry: TarEntry; segments: Segment[]; written: number } | undefined;

  constructor(destination: Destination, target: readonly Uint8Array[], options: UnpackOptions) {
    this.#destination = destination;
    this.#target = target;
    this.#options = options;
  }

  [Symbol.dispose](): void {
    this.#file?.file[Symbol.dispose]();
  }

  entry(entry: TarEntry): void {
    const names = split(entry.name);
    const name = names.at(-1);
    const path = [...this.#target, ...names];
    if (entry.type === "directory" || name === undefined) {
      this.#destination.folder(joinNames(path), this.#metadata(entry), this.#options.above)[Symbol.dispose]();
      return;
    }
    using folder = this.#destination.folder(joinNames(path.slice(0, -1)), this.#options.above, this.#options.above);
    if (entry.type === "file") {
      const file = this.#destination.create(folder, name);
      this.#file = { file, entry, segments: [...(entry.sparse ?? [])], written: 0 };
    } else if (entry.type === "symlink") {
      this.#destination.symlink(folder, name, entry.linkName, this.#metadata(entry));
    } else if (entry.type === "hardlink") {
      this.#destination.link(folder, name, joinNames([...this.#target, ...split(entry.linkName)]));
    } else this.#destination.node(folder, name, entry.type, entry, this.#metadata(entry));
  }

  data(chunk: Uint8Array): void {
    const open = this.#file;
    if (open === undefined) return;
    if (open.entry.sparse === undefined) {
      open.file.write(chunk);
      return;
    }
    // The segments' bytes come joined; each goes to its own place.
    for (let at = 0; at < chunk.length; ) {
      const segment = open.segments[0];
      if (segment === undefined) return;
      const part = chunk.subarray(at, at + segment.length - open.written);
      open.file.write(part, segment.offset + open.written);
      at += part.length;
      open.written += part.length;
      if (open.written === segment.length) {
        open.segments.shift();
        open.written = 0;
      }
    }
  }

  end(): void {
    const open = this.#file;
    this.#file = undefined;
    if (open === undefined) return;
    open.file.finish(this.#metadata(open.entry), open.entry.size);
    open.file[Symbol.dispose]();
  }

  #metadata(entry: TarEntry): Metadata {
    const { owner, mode } = this.#options;
    const kept = [...entry.xattrs].filter(([name]) => name === "security.capability" || name.startsWith("user."));
    return {
      mode: mode ?? entry.mode,
      uid: owner?.uid ?? entry.uid,
      gid: owner?.gid ?? entry.gid,
      xattrs: kept.sort(([a], [b]) => (a < b ? -1 : 1)),
      ...(this.#options.keepTimes === true ? { modified: entry.modified } : {}),
    };
  }
}
