/**
 * Tar as bytes: names, link names, user names and xattr values are never text, so what went in comes out.
 *
 * Reading is a push parser, because layers are read by synchronous code in a Worker: `createTarReader(sink)` is fed
 * chunks of any size and calls the sink. Writing is the mirror: `createTarWriter(out)` is told entries and data and
 * hands out chunks. `entriesOf(source)` and `tarStream(write)` adapt both to streams.
 *
 * Understood: v7, ustar, GNU (long names, base-256 numbers, sparse), PAX (local and global, SCHILY.xattr., GNU sparse
 * 0.0, 0.1 and 1.0). Errors: "corrupt" for what is no tar, truncated or breaks a bound; "unsupported" for GNU
 * multi-volume and directory dumps.
 */

export type EntryType = "file" | "hardlink" | "symlink" | "character" | "block" | "directory" | "fifo";

/** A moment: whole seconds since 1970 (may be negative) and nanoseconds in [0, 1e9). */
export interface TarTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** `length` bytes of content at `offset`; what lies between segments reads as zeros. */
export interface Segment {
  readonly offset: number;
  readonly length: number;
}

export interface TarEntry {
  /** As archived: may be absolute, hold "." and "..", end in "/". Never holds a NUL. Nobody resolved it. */
  readonly name: Uint8Array;
  readonly type: EntryType;
  /** Permission bits with setuid, setgid and sticky: 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** The file's size in bytes, holes included; 0 for what is no file. */
  readonly size: number;
  readonly modified: TarTime;
  readonly accessed?: TarTime;
  readonly changed?: TarTime;
  /** Target of a hard link or a symlink; else empty. */
  readonly linkName: Uint8Array;
  readonly userName: Uint8Array;
  readonly groupName: Uint8Array;
  /** Of "character" and "block"; else 0. */
  readonly major: number;
  readonly minor: number;
  /** By name, one character a byte (Latin-1). */
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
  /** Of a sparse file: the segments whose bytes follow, ascending, not overlapping. */
  readonly sparse?: readonly Segment[];
}

/** What a tar reader calls, in order: entry, its data, end; then the next. A throw stops the reader for good. */
export interface TarSink {
  entry(entry: TarEntry): void;
  /** The entry's stored bytes (of a sparse file: of its segments, joined). Valid only during the call. */
  data(chunk: Uint8Array): void;
  /** The entry's last byte was given. */
  end(): void;
}

export interface TarReader {
  push(chunk: Uint8Array): void;
  /** Says that no byte follows. Error "corrupt": the archive stops inside an entry. A missing end mark is allowed. */
  finish(): void;
}

export interface TarReaderLimits {
  /** Entries at most; default 10 million. */
  readonly entries?: number;
  /** Bytes of one PAX header or GNU long name; default 1 MiB. */
  readonly recordBytes?: number;
  /** Segments of one sparse file; default 100,000. */
  readonly segments?: number;
}

/** A fed compressor or decompressor. `push` and `finish` hand out what is ready before they return. */
export interface Codec {
  push(chunk: Uint8Array): void;
  /** Error "corrupt": the stream stops in its middle. */
  finish(): void;
}

/** Takes bytes; they are valid only during the call. */
export type ByteSink = (chunk: Uint8Array) => void;

export type Compression = "none" | "gzip" | "zstd" | "xz" | "bzip2";

export interface TarWriter {
  /** Begins an entry; a file's `size` bytes must follow through `data` before the next. `sparse` is refused. */
  entry(entry: TarEntry): void;
  data(chunk: Uint8Array): void;
  /** Two zero blocks; no blocking to 10 KiB. */
  finish(): void;
}

/**
 * "Format 1": the tar dialect (ustar where everything fits, else PAX with sorted records and nothing else), gzip
 * level 6 in 1 MiB blocks with the previous 32 KiB as dictionary, a fixed 10-byte header. The bytes depend
 * on the content only. A golden corpus guards it; a change of any byte is a format 2.
 */
export const layerFormat = 1;
