import { GantryError } from "#base/core/errors.ts";
import type { TarTime } from "./contract.ts";

/** One 512-byte header block, its numbers decoded and its names still bytes (POSIX.1-2017 pax, "ustar"; GNU tar "Basic Tar Format"). */
export interface RawHeader {
  readonly typeFlag: number;
  readonly name: Uint8Array;
  readonly linkName: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly modified: TarTime;
  readonly userName: Uint8Array;
  readonly groupName: Uint8Array;
  readonly major: number;
  readonly minor: number;
}

export const blockSize = 512;

export function corruptTar(because: string): never {
  throw new GantryError("corrupt", { doing: "read the tar archive", because });
}

export function isZeroBlock(block: Uint8Array): boolean {
  for (let i = 0; i < blockSize; i++) if (block[i] !== 0) return false;
  return true;
}

/** Reads a header block; the names in it are copies. Error "corrupt". */
export function readHeader(block: Uint8Array): RawHeader {
  checkSum(block);
  const posix = startsWith(block, 257, "ustar\0");
  const gnu = startsWith(block, 257, "ustar  \0");
  const star = posix && startsWith(block, 508, "tar\0");
  const extended = posix || gnu;
  const short = text(block, 0, 100);
  const prefix = posix ? text(block, 345, star ? 131 : 155) : empty;
  return {
    typeFlag: block[156]!,
    name: prefix.length === 0 ? short : joinPath(prefix, short),
    linkName: text(block, 157, 100),
    mode: readNumber(block, 100, 8) & 0o7777,
    uid: readId(block, 108),
    gid: readId(block, 116),
    size: readSize(block, 124, 12),
    modified: { seconds: readNumber(block, 136, 12), nanoseconds: 0 },
    userName: extended ? text(block, 265, 32) : empty,
    groupName: extended ? text(block, 297, 32) : empty,
    major: extended ? readSize(block, 329, 8) : 0,
    minor: extended ? readSize(block, 337, 8) : 0,
  };
}

const empty = new Uint8Array(0);

function checkSum(block: Uint8Array): void {
  let unsigned = 0;
  let signed = 0;
  for (let i = 0; i < blockSize; i++) {
    const byte = i >= 148 && i < 156 ? 0x20 : block[i]!;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const stored = readNumber(block, 148, 8);
  // Some old writers summed signed bytes.
  if (stored !== unsigned && stored !== signed) corruptTar("a header's checksum is wrong");
}

function startsWith(block: Uint8Array, at: number, word: string): boolean {
  for (let i = 0; i < word.length; i++) if (block[at + i] !== word.charCodeAt(i)) return false;
  return true;
}

/** The bytes up to the first NUL. */
function text(block: Uint8Array, at: number, length: number): Uint8Array {
  let end = at;
  while (end < at + length && block[end] !== 0) end++;
  return block.slice(at, end);
}

function joinPath(prefix: Uint8Array, name: Uint8Array): Uint8Array {
  const joined = new Uint8Array(prefix.length + 1 + name.length);
  joined.set(prefix);
  joined[prefix.length] = 0x2f;
  joined.set(name, prefix.length + 1);
  return joined;
}

/** Octal digits, or base-256 when the first byte's high bit is set (GNU); empty is 0. */
export function readNumber(block: Uint8Array, at: number, length: number): number {
  if ((block[at]! & 0x80) !== 0) return readBase256(block, at, length);
  let i = at;
  const end = at + length;
  while (i < end && (block[i] === 0x20 || block[i] === 0)) i++;
  let value = 0;
  for (; i < end; i++) {
    const byte = block[i]!;
    if (byte === 0 || byte === 0x20) break;
    if (byte < 0x30 || byte > 0x37) corruptTar("a number in a header is not octal");
    value = value * 8 + (byte - 0x30);
  }
  return value;
}

function readBase256(block: Uint8Array, at: number, length: number): number {
  const negative = (block[at]! & 0x40) !== 0;
  let value = negative ? -1n : 0n;
  for (let i = 0; i < length; i++) {
    const byte = i === 0 && !negative ? block[at]! & 0x7f : block[at + i]!;
    value = (value << 8n) | BigInt(byte);
  }
  const number = Number(value);
  if (!Number.isSafeInteger(number)) corruptTar("a number in a header is too big");
  return number;
}

export function readSize(block: Uint8Array, at: number, length: number): number {
  const value = readNumber(block, at, length);
  return value < 0 ? corruptTar("a size or device number in a header is below 0") : value;
}

function readId(block: Uint8Array, at: number): number {
  return checkId(readNumber(block, at, 8));
}

/** 4294967295 is (uid_t)-1: chown would take it as "leave as it is". */
export function checkId(id: number): number {
  return id >= 0 && id < 0xffff_ffff ? id : corruptTar(`the owner id ${id} is outside 0 to 4294967294`);
}
