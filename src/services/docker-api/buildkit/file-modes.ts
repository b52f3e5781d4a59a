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

/** st_mode's kinds (S_IFMT) that an image's file may have; undefined for a socket. */
const goKinds: ReadonlyMap<number, number> = new Map([
  [0o100000, 0],
  [0o040000, 2 ** 31],
  [0o120000, 2 ** 27],
  [0o060000, 2 ** 26],
  [0o020000, 2 ** 26 + characterDevice],
  [0o010000, 2 ** 25],
]);

/** An st_mode as Go's os.FileMode. */
export function goModeOf(mode: number): number | undefined {
  const kind = goKinds.get(mode & 0o170000);
  if (kind === undefined) return undefined;
  const special = (mode & 0o4000 ? setuid : 0) + (mode & 0o2000 ? setgid : 0) + (mode & 0o1000 ? sticky : 0);
  return kind + special + (mode & permissions);
}
