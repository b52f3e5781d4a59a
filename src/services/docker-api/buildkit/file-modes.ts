import type { EntryType } from "#formats/tar/contract.ts";

const permissions = 0o777;
const setuid = 2 ** 23;
const setgid = 2 ** 22;
const sticky = 2 ** 20;

/** Go's os.FileMode: the kinds of file, by bit. */
const kinds: readonly (readonly [bit: number, type: EntryType | "socket" | "irregular"])[] = [
  [2 ** 31, "directory"],
  [2 ** 27, "symlink"],
  [2 ** 26, "block"],
  [2 ** 25, "fifo"],
  [2 ** 24, "socket"],
  [2 ** 19, "irregular"],
];
const characterDevice = 2 ** 21;

const has = (mode: number, bit: number) => Math.floor(mode / bit) % 2 === 1;

export function typeOf(mode: number): EntryType | "socket" | "irregular" {
  const kind = kinds.find(([bit]) => has(mode, bit))?.[1] ?? "file";
  return kind === "block" && has(mode, characterDevice) ? "character" : kind;
}

/** The bits of chmod(2). */
export function permissionsOf(mode: number): number {
  return (
    (mode & permissions) |
    (has(mode, setuid) ? 0o4000 : 0) |
    (has(mode, setgid) ? 0o2000 : 0) |
    (has(mode, sticky) ? 0o1000 : 0)
  );
}
