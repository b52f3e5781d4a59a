import { GantryError } from "#base/core/errors.ts";
import type { EntryType, Segment, TarEntry, TarReader, TarReaderLimits, TarSink } from "./contract.ts";
import { blockSize, corruptTar, isZeroBlock, type RawHeader, readHeader, readSize } from "./header.ts";
import { type PaxFields, readPax } from "./pax.ts";
import { checkSegments, readOldSparse, SparseMapReader } from "./sparse.ts";

type State = "header" | "extension" | "old-sparse" | "sparse-map" | "data" | "padding" | "ended";

const flag = (letter: string) => letter.charCodeAt(0);
const gnuLongName = flag("L");
const gnuLongLink = flag("K");
const paxLocal = flag("x");
const paxGlobal = flag("g");
const solarisPax = flag("X");
const oldSparse = flag("S");
const extensionFlags: readonly number[] = [gnuLongName, gnuLongLink, paxLocal, paxGlobal, solarisPax];

const typeByFlag: Readonly<Record<string, EntryType>> = {
  "\0": "file",
  "0": "file",
  "7": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "character",
  "4": "block",
  "5": "directory",
  "6": "fifo",
  S: "file",
};

const emptyBytes = new Uint8Array(0);
const noXattrs: ReadonlyMap<string, Uint8Array> = new Map();

export function createTarReader(sink: TarSink, limits: TarReaderLimits = {}): TarReader {
  return new Reader(sink, { entries: 10_000_000, recordBytes: 1024 * 1024, segments: 100_000, ...limits });
}

class Reader implements TarReader {
  readonly #sink: TarSink;
  readonly #limits: Required<TarReaderLimits>;
  #state: State = "header";
  /** A block being collected. */
  readonly #block = new Uint8Array(blockSize);
  #filled = 0;
  /** Bytes left of data, padding or extension. */
  #left = 0;
  #extension: { flag: number; data: Uint8Array; filled: number } | undefined;
  #entries = 0;
  #header: RawHeader | undefined;
  #segments: Segment[] = [];
  #realSize = 0;
  #mapReader: SparseMapReader | undefined;
  #sawZeroBlock = false;
  // What applies to the next entry, and to all.
  #local: PaxFields = {};
  #global: PaxFields = {};
  #longName: Uint8Array | undefined;
  #longLink: Uint8Array | undefined;

  constructor(sink: TarSink, limits: Required<TarReaderLimits>) {
    this.#sink = sink;
    this.#limits = limits;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && this.#state !== "ended") {
      switch (this.#state) {
        case "data": {
          const take = Math.min(this.#left, chunk.length - at);
          this.#sink.data(chunk.subarray(at, at + take));
          this.#left -= take;
          at += take;
          if (this.#left === 0) this.#endEntry();
          break;
        }
        case "padding": {
          const take = Math.min(this.#left, chunk.length - at);
          this.#left -= take;
          at += take;
          if (this.#left === 0) this.#state = "header";
          break;
        }
        case "extension":
          at += this.#collectExtension(chunk, at);
          break;
        default:
          at += this.#collectBlock(chunk, at);
      }
    }
  }

  finish(): void {
    const atBoundary = this.#state === "header" && this.#filled === 0;
    if (this.#state === "ended" || (atBoundary && !this.#hasPending())) return;
    corruptTar("it stops in the middle");
  }

  #hasPending(): boolean {
    return this.#longName !== undefined || this.#longLink !== undefined || Object.keys(this.#local).length > 0;
  }

  #collectBlock(chunk: Uint8Array, at: number): number {
    // A whole block in the chunk is read in place.
    if (this.#filled === 0 && chunk.length - at >= blockSize) {
      this.#takeBlock(chunk.subarray(at, at + blockSize));
      return blockSize;
    }
    const take = Math.min(blockSize - this.#filled, chunk.length - at);
    this.#block.set(chunk.subarray(at, at + take), this.#filled);
    this.#filled += take;
    if (this.#filled === blockSize) {
      this.#filled = 0;
      this.#takeBlock(this.#block);
    }
    return take;
  }

  #collectExtension(chunk: Uint8Array, at: number): number {
    const extension = this.#extension!;
    const take = Math.min(extension.data.length - extension.filled, chunk.length - at);
    extension.data.set(chunk.subarray(at, at + take), extension.filled);
    extension.filled += take;
    if (extension.filled === extension.data.length) {
      this.#extension = undefined;
      this.#applyExtension(extension.flag, extension.data);
      this.#pad(extension.data.length);
    }
    return take;
  }

  #takeBlock(block: Uint8Array): void {
    if (this.#state === "old-sparse") this.#takeOldSparse(block);
    else if (this.#state === "sparse-map") this.#takeSparseMap(block);
    else if (isZeroBlock(block)) this.#takeZeroBlock();
    else if (this.#sawZeroBlock) corruptTar("a lone zero block is followed by more");
    else this.#takeHeader(block);
  }

  #takeZeroBlock(): void {
    if (this.#hasPending()) corruptTar("it ends after an extended header");
    // The second one ends the archive; whatever follows is blocking factor or not ours.
    if (this.#sawZeroBlock) this.#state = "ended";
    this.#sawZeroBlock = true;
  }

  #takeHeader(block: Uint8Array): void {
    const header = readHeader(block);
    if (extensionFlags.includes(header.typeFlag)) {
      // An extension's length is its own header's, whatever a PAX size record before it says (CVE-2026-53655).
      if (header.size > this.#limits.recordBytes)
        corruptTar(`an extended header has ${header.size} bytes, more than ${this.#limits.recordBytes}`);
      this.#extension = { flag: header.typeFlag, data: new Uint8Array(header.size), filled: 0 };
      this.#state = "extension";
      if (header.size === 0) this.#collectExtension(emptyBytes, 0);
      return;
    }
    this.#header = header;
    this.#segments = [];
    this.#mapReader = undefined;
    // A volume label (GNU "V") is no entry; its size is 0.
    if (header.typeFlag === flag("V")) {
      this.#forget();
      return;
    }
    if (header.typeFlag === oldSparse) {
      this.#realSize = readSize(block, 483, 12);
      readOldSparse(block, 386, 4, this.#segments, this.#limits.segments);
      if (block[482] !== 0) this.#state = "old-sparse";
      else this.#begin(this.#segments);
      return;
    }
    const sparse = this.#local.sparse;
    if (sparse === undefined) this.#begin(undefined);
    else if (sparse.major === 1 && sparse.minor === 0) {
      this.#left = this.#local.size ?? header.size;
      this.#mapReader = new SparseMapReader(this.#limits.segments);
      this.#state = "sparse-map";
    } else if (sparse.segments !== undefined) this.#begin(sparse.segments);
    else corruptTar("a sparse file has no map");
  }

  #takeOldSparse(block: Uint8Array): void {
    readOldSparse(block, 0, 21, this.#segments, this.#limits.segments);
    if (block[504] === 0) this.#begin(this.#segments);
  }

  #takeSparseMap(block: Uint8Array): void {
    this.#left -= blockSize;
    if (this.#left < 0) corruptTar("a sparse map is longer than its file");
    const segments = this.#mapReader!.push(block);
    if (segments !== undefined) this.#begin(segments, this.#left);
  }

  #applyExtension(typeFlag: number, data: Uint8Array): void {
    if (typeFlag === gnuLongName) this.#longName = untilNul(data);
    else if (typeFlag === gnuLongLink) this.#longLink = untilNul(data);
    else if (typeFlag === paxGlobal) readPax(data, this.#global, true, this.#limits.segments);
    else readPax(data, this.#local, false, this.#limits.segments);
  }

  /** Puts header and extensions together and starts the entry; `stored` is what remains of its bytes. */
  #begin(segments: readonly Segment[] | undefined, stored?: number): void {
    const header = this.#header!;
    const pax: PaxFields = { ...this.#global, ...this.#local };
    const sparse = segments === undefined ? undefined : pax.sparse;
    const type = this.#typeOf(header);
    const name = sparse?.name ?? pax.path ?? this.#longName ?? header.name;
    const isLink = type === "hardlink" || type === "symlink";
    let length = stored ?? pax.size ?? header.size;
    // A hard link's size is its target's; nothing is stored (GNU tar and Go agree).
    if (type === "hardlink") length = 0;
    if (type !== "file" && length !== 0) corruptTar(`a ${type} entry has content`);
    if (segments !== undefined && type !== "file") corruptTar(`a ${type} entry has a sparse map`);
    this.#entries += 1;
    if (this.#entries > this.#limits.entries) corruptTar(`it has more than ${this.#limits.entries} entries`);
    const realSize = sparse?.realSize ?? (segments === undefined ? length : this.#realSize);
    const directory = type === "file" && header.typeFlag === 0 && name.at(-1) === 0x2f;
    if (directory && length !== 0) corruptTar("a directory entry has content");
    const entry: TarEntry = {
      name,
      // Before ustar a directory was a file whose name ends in a slash.
      type: directory ? "directory" : type,
      mode: header.mode,
      uid: pax.uid ?? header.uid,
      gid: pax.gid ?? header.gid,
      size: realSize,
      modified: pax.modified ?? header.modified,
      linkName: isLink ? (pax.linkPath ?? this.#longLink ?? header.linkName) : emptyBytes,
      userName: pax.userName ?? header.userName,
      groupName: pax.groupName ?? header.groupName,
      major: type === "character" || type === "block" ? (pax.major ?? header.major) : 0,
      minor: type === "character" || type === "block" ? (pax.minor ?? header.minor) : 0,
      xattrs: pax.xattrs ?? noXattrs,
      ...(pax.accessed === undefined ? {} : { accessed: pax.accessed }),
      ...(pax.changed === undefined ? {} : { changed: pax.changed }),
      ...(segments === undefined ? {} : { sparse: checkSegments(segments, realSize, length) }),
    };
    this.#forget();
    this.#paddingAfter = length;
    this.#left = length;
    this.#state = "data";
    this.#sink.entry(entry);
    if (length === 0) this.#endEntry();
  }

  #paddingAfter = 0;

  #endEntry(): void {
    this.#pad(this.#paddingAfter);
    this.#sink.end();
  }

  #pad(length: number): void {
    this.#left = (blockSize - (length % blockSize)) % blockSize;
    this.#state = this.#left === 0 ? "header" : "padding";
  }

  #forget(): void {
    this.#local = {};
    this.#longName = undefined;
    this.#longLink = undefined;
    this.#state = "header";
  }

  #typeOf(header: RawHeader): EntryType {
    const letter = String.fromCharCode(header.typeFlag);
    const type = typeByFlag[letter];
    if (type !== undefined) return type;
    throw new GantryError("unsupported", {
      doing: "read the tar archive",
      because: `it has an entry of type "${letter}"`,
      next: "Write it with GNU tar --format=posix, without --multi-volume and --incremental.",
    });
  }
}

function untilNul(data: Uint8Array): Uint8Array {
  const end = data.indexOf(0);
  return end === -1 ? data : data.slice(0, end);
}
