import { GantryError } from "#base/core/errors.ts";
import type { ByteSink, EntryType, TarEntry, TarWriter } from "./contract.ts";
import { blockSize } from "./header.ts";
import { formatPaxTime, paxRecord } from "./pax.ts";

const flagByType: Readonly<Record<EntryType, string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  character: "3",
  block: "4",
  directory: "5",
  fifo: "6",
};

const utf8 = new TextEncoder();
const zeros = new Uint8Array(blockSize);
const octal7 = 0o7777777;
const octal11 = 0o77777777777;

export function createTarWriter(out: ByteSink): TarWriter {
  return new Writer(out);
}

class Writer implements TarWriter {
  readonly #out: ByteSink;
  readonly #block = new Uint8Array(blockSize);
  #left = 0;
  #padding = 0;

  constructor(out: ByteSink) {
    this.#out = out;
  }

  entry(entry: TarEntry): void {
    if (this.#left > 0) refuse(`the entry before "${shown(entry.name)}" lacks ${this.#left} bytes`);
    if (entry.sparse !== undefined) refuse(`"${shown(entry.name)}" is sparse; write its bytes whole`);
    if (entry.name.length === 0 || entry.name.includes(0)) refuse("a name is empty or holds a NUL");
    const size = entry.type === "file" ? entry.size : 0;
    const split = splitName(entry.name);
    const records = this.#records(entry, size, split === undefined);
    if (records.length > 0) this.#writePax(records);
    const stem = split ?? { prefix: zeros.subarray(0, 0), name: entry.name.subarray(0, 100) };
    this.#writeHeader(entry, size, stem, flagByType[entry.type]);
    this.#left = size;
    this.#padding = (blockSize - (size % blockSize)) % blockSize;
  }

  data(chunk: Uint8Array): void {
    if (chunk.length > this.#left) refuse("an entry got more bytes than its size says");
    this.#left -= chunk.length;
    if (chunk.length > 0) this.#out(chunk);
    if (this.#left === 0 && this.#padding > 0) {
      this.#out(zeros.subarray(0, this.#padding));
      this.#padding = 0;
    }
  }

  finish(): void {
    if (this.#left > 0) refuse(`the last entry lacks ${this.#left} bytes`);
    this.#out(zeros);
    this.#out(zeros);
  }

  /** What the ustar header cannot hold, by name in byte order. */
  #records(entry: TarEntry, size: number, longName: boolean): [string, Uint8Array][] {
    const records: [string, Uint8Array][] = [];
    const say = (key: string, value: string | Uint8Array) =>
      records.push([key, typeof value === "string" ? utf8.encode(value) : value]);
    if (longName) say("path", entry.name);
    if (entry.linkName.length > 100) say("linkpath", entry.linkName);
    if (size > octal11) say("size", String(size));
    if (entry.uid > octal7) say("uid", String(entry.uid));
    if (entry.gid > octal7) say("gid", String(entry.gid));
    if (entry.userName.length > 32) say("uname", entry.userName);
    if (entry.groupName.length > 32) say("gname", entry.groupName);
    const { seconds, nanoseconds } = entry.modified;
    if (nanoseconds !== 0 || seconds < 0 || seconds > octal11) say("mtime", formatPaxTime(entry.modified));
    if (entry.accessed !== undefined) say("atime", formatPaxTime(entry.accessed));
    if (entry.changed !== undefined) say("ctime", formatPaxTime(entry.changed));
    for (const [name, value] of entry.xattrs) {
      if (name === "" || /[=\0]/.test(name)) refuse(`the xattr name "${name}" cannot be written`);
      say(`SCHILY.xattr.${name}`, value);
    }
    return records.sort(([a], [b]) => (a < b ? -1 : 1));
  }

  #writePax(records: readonly [string, Uint8Array][]): void {
    const body = Buffer.concat(records.map(([key, value]) => paxRecord(key, value)));
    const carrier: TarEntry = { ...plain, size: body.length };
    this.#writeHeader(carrier, body.length, { prefix: zeros.subarray(0, 0), name: plain.name }, "x");
    this.#out(body);
    const rest = (blockSize - (body.length % blockSize)) % blockSize;
    if (rest > 0) this.#out(zeros.subarray(0, rest));
  }

  #writeHeader(entry: TarEntry, size: number, stem: { prefix: Uint8Array; name: Uint8Array }, flag: string): void {
    const block = this.#block;
    block.fill(0);
    const device = entry.type === "character" || entry.type === "block";
    block.set(stem.name, 0);
    number(block, 100, 8, entry.mode & 0o7777);
    number(block, 108, 8, entry.uid > octal7 ? 0 : entry.uid);
    number(block, 116, 8, entry.gid > octal7 ? 0 : entry.gid);
    number(block, 124, 12, size > octal11 ? 0 : size);
    const seconds = entry.modified.seconds;
    number(block, 136, 12, seconds < 0 || seconds > octal11 ? 0 : seconds);
    block[156] = flag.charCodeAt(0);
    block.set(entry.linkName.subarray(0, 100), 157);
    ascii(block, 257, "ustar\u000000");
    block.set(entry.userName.subarray(0, 32), 265);
    block.set(entry.groupName.subarray(0, 32), 297);
    if (entry.major > octal7 || entry.minor > octal7) refuse(`"${shown(entry.name)}" has too big a device number`);
    number(block, 329, 8, device ? entry.major : 0);
    number(block, 337, 8, device ? entry.minor : 0);
    block.set(stem.prefix, 345);
    block.fill(0x20, 148, 156);
    let sum = 0;
    for (let i = 0; i < blockSize; i++) sum += block[i]!;
    ascii(block, 148, `${sum.toString(8).padStart(6, "0")}\0 `);
    this.#out(block);
  }
}

const plain: TarEntry = {
  name: utf8.encode("PaxHeaders.0/x"),
  type: "file",
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  modified: { seconds: 0, nanoseconds: 0 },
  linkName: new Uint8Array(0),
  userName: new Uint8Array(0),
  groupName: new Uint8Array(0),
  major: 0,
  minor: 0,
  xattrs: new Map(),
};

/** An entry with every field at its default, for writers that set only some. */
export function tarEntry(fields: Partial<TarEntry> & Pick<TarEntry, "name" | "type">): TarEntry {
  return { ...plain, ...fields };
}

/** ustar's name and prefix, cut at the last slash that fits; undefined when none does. */
function splitName(name: Uint8Array): { prefix: Uint8Array; name: Uint8Array } | undefined {
  if (name.length <= 100) return { prefix: name.subarray(0, 0), name };
  if (name.length > 256) return undefined;
  for (let at = Math.min(155, name.length - 2); at > 0 && name.length - at - 1 <= 100; at--)
    if (name[at] === 0x2f) return { prefix: name.subarray(0, at), name: name.subarray(at + 1) };
  return undefined;
}

function number(block: Uint8Array, at: number, length: number, value: number): void {
  ascii(block, at, value.toString(8).padStart(length - 1, "0"));
}

function ascii(block: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) block[at + i] = text.charCodeAt(i);
}

function shown(name: Uint8Array): string {
  return Buffer.from(name).toString().slice(0, 200);
}

function refuse(because: string): never {
  throw new GantryError("invalid", { doing: "write the tar archive", because });
}
