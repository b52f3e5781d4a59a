import type { Segment, TarTime } from "./contract.ts";
import { checkId, corruptTar } from "./header.ts";

/** What extended headers say about the next entry (POSIX.1-2017 pax, "pax Extended Header"); absent: the header's own. */
export interface PaxFields {
  path?: Uint8Array;
  linkPath?: Uint8Array;
  userName?: Uint8Array;
  groupName?: Uint8Array;
  size?: number;
  uid?: number;
  gid?: number;
  modified?: TarTime;
  accessed?: TarTime;
  changed?: TarTime;
  major?: number;
  minor?: number;
  xattrs?: Map<string, Uint8Array>;
  sparse?: PaxSparse;
}

/** GNU's sparse records, versions 0.0, 0.1 and 1.0. */
export interface PaxSparse {
  major?: number;
  minor?: number;
  realSize?: number;
  name?: Uint8Array;
  /** Of 0.0 and 0.1; 1.0 has its map before the data. */
  segments?: Segment[];
  /** An offset record of 0.0 whose length record has not come yet. */
  offset?: number;
}

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
const xattrPrefix = "SCHILY.xattr.";

/** Adds the records of one extended header to `fields`; later records win. Error "corrupt". */
export function readPax(data: Uint8Array, fields: PaxFields, global: boolean, segmentLimit: number): void {
  let at = 0;
  while (at < data.length) {
    const space = data.indexOf(0x20, at);
    if (space === -1 || space === at || space - at > 10) corruptTar("a PAX record has no length");
    const length = wholeNumber(latin1(data.subarray(at, space)), "length");
    const end = at + length;
    if (end > data.length || length < space - at + 4) corruptTar("a PAX record's length is wrong");
    if (data[end - 1] !== 0x0a) corruptTar("a PAX record does not end in a newline");
    const equals = data.indexOf(0x3d, space + 1);
    if (equals === -1 || equals >= end) corruptTar("a PAX record has no =");
    const key = latin1(data.subarray(space + 1, equals));
    if (key === "" || key.includes("\0")) corruptTar("a PAX record's name is empty or holds a NUL");
    apply(fields, key, data.slice(equals + 1, end - 1), global, segmentLimit);
    at = end;
  }
}

function apply(fields: PaxFields, key: string, value: Uint8Array, global: boolean, segmentLimit: number): void {
  if (key.startsWith(xattrPrefix)) {
    if (global) corruptTar(`a global PAX header sets ${key}`);
    fields.xattrs ??= new Map();
    fields.xattrs.set(key.slice(xattrPrefix.length), value);
    return;
  }
  if (key.startsWith("GNU.sparse.")) {
    if (global) corruptTar(`a global PAX header sets ${key}`);
    fields.sparse ??= {};
    applySparse(fields.sparse, key.slice("GNU.sparse.".length), value, segmentLimit);
    return;
  }
  // These would rename or resize every later entry: no writer means that, and readers differ about it.
  if (global && (key === "path" || key === "linkpath" || key === "size")) corruptTar(`a global PAX header sets ${key}`);
  setters[key]?.(fields, value);
}

type Setter = (fields: PaxFields, value: Uint8Array) => void;

/** An empty value takes the record back. */
function setter<K extends keyof PaxFields>(field: K, read: (value: Uint8Array) => NonNullable<PaxFields[K]>): Setter {
  return (fields, value) => {
    if (value.length === 0) delete fields[field];
    else fields[field] = read(value);
  };
}

const setters: Readonly<Record<string, Setter>> = {
  path: setter("path", name),
  linkpath: setter("linkPath", name),
  uname: setter("userName", name),
  gname: setter("groupName", name),
  size: setter("size", (value) => wholeNumber(latin1(value), "size")),
  uid: setter("uid", (value) => checkId(wholeNumber(latin1(value), "uid"))),
  gid: setter("gid", (value) => checkId(wholeNumber(latin1(value), "gid"))),
  mtime: setter("modified", (value) => readPaxTime(latin1(value))),
  atime: setter("accessed", (value) => readPaxTime(latin1(value))),
  ctime: setter("changed", (value) => readPaxTime(latin1(value))),
  "SCHILY.devmajor": setter("major", (value) => wholeNumber(latin1(value), "device number")),
  "SCHILY.devminor": setter("minor", (value) => wholeNumber(latin1(value), "device number")),
};

function name(value: Uint8Array): Uint8Array {
  return value.includes(0) ? corruptTar("a name in a PAX record holds a NUL") : value;
}

function applySparse(sparse: PaxSparse, key: string, value: Uint8Array, limit: number): void {
  const number = () => wholeNumber(latin1(value), `GNU.sparse.${key}`);
  if (key === "major") sparse.major = number();
  else if (key === "minor") sparse.minor = number();
  else if (key === "realsize" || key === "size") sparse.realSize = number();
  else if (key === "name") sparse.name = name(value);
  else if (key === "offset") sparse.offset = number();
  else if (key === "numbytes") {
    if (sparse.offset === undefined) corruptTar("a sparse length comes without its offset");
    sparse.segments ??= [];
    sparse.segments.push({ offset: sparse.offset, length: number() });
    delete sparse.offset;
  } else if (key === "map") {
    const numbers = latin1(value).split(",", 2 * limit + 2);
    if (numbers.length % 2 !== 0) corruptTar("a sparse map has an odd count of numbers");
    sparse.segments = [];
    for (let i = 0; i < numbers.length; i += 2)
      sparse.segments.push({
        offset: wholeNumber(numbers[i]!, "sparse offset"),
        length: wholeNumber(numbers[i + 1]!, "sparse length"),
      });
  }
  if ((sparse.segments?.length ?? 0) > limit) corruptTar(`a sparse file has more than ${limit} segments`);
}

/** Decimal digits only; what a double cannot hold exactly is refused. */
export function wholeNumber(digits: string, what: string): number {
  const value = /^\d{1,16}$/.test(digits) ? Number(digits) : Number.NaN;
  return Number.isSafeInteger(value) ? value : corruptTar(`the ${what} "${digits.slice(0, 40)}" is no whole number`);
}

export function readPaxTime(text: string): TarTime {
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(text);
  if (match === null) corruptTar(`the time "${text.slice(0, 40)}" is no number`);
  const whole = Number(match[2]);
  const fraction = Number((match[3] ?? "").slice(0, 9).padEnd(9, "0"));
  if (match[1] !== "-") return { seconds: whole, nanoseconds: fraction };
  return fraction === 0 ? { seconds: -whole, nanoseconds: 0 } : { seconds: -whole - 1, nanoseconds: 1e9 - fraction };
}

export function formatPaxTime(time: TarTime): string {
  if (time.nanoseconds === 0) return String(time.seconds);
  const below = time.seconds < 0;
  const seconds = below ? -time.seconds - 1 : time.seconds;
  const fraction = String(below ? 1e9 - time.nanoseconds : time.nanoseconds)
    .padStart(9, "0")
    .replace(/0+$/, "");
  return `${below ? "-" : ""}${seconds}.${fraction}`;
}

/** "<length> <key>=<value>\n", the length counting itself. */
export function paxRecord(key: string, value: Uint8Array): Uint8Array {
  const rest = 3 + key.length + value.length;
  let length = rest + String(rest).length;
  if (String(length).length !== String(rest).length) length = rest + String(length).length;
  const record = Buffer.alloc(length);
  const at = record.write(`${length} ${key}=`, "latin1");
  record.set(value, at);
  record[length - 1] = 0x0a;
  return record;
}
