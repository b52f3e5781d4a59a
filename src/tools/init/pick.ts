import type { Folder, FolderFile } from "./contract.ts";

/** Files at the top of the folder, in byte order. */
export function topFiles(folder: Folder): FolderFile[] {
  return folder.files.filter(({ path }) => !path.includes("/")).sort((a, b) => (a.path < b.path ? -1 : 1));
}

export function find(folder: Folder, path: string): FolderFile | undefined {
  return folder.files.find((file) => file.path === path);
}

/** The first of the names that is there; else one that `looksMain`; else the only or first one. */
export function pickMain(
  candidates: readonly FolderFile[],
  names: readonly string[],
  looksMain: (file: FolderFile) => boolean,
): FolderFile | undefined {
  for (const name of names) {
    const named = candidates.find(({ path }) => path.toLowerCase() === name.toLowerCase());
    if (named !== undefined) return named;
  }
  return candidates.find(looksMain) ?? candidates[0];
}

/** Says that a choice was made when there was one to make. */
export function choiceNote(chosen: string, candidates: readonly FolderFile[]): string[] {
  const others = candidates.map(({ path }) => path).filter((path) => path !== chosen);
  if (others.length === 0) return [];
  const shown = others.slice(0, 5).join(", ");
  return [`${chosen} is what runs; change the last line if it should be another (${shown}).`];
}

/** Names of `known` whose pattern occurs in any of the texts, without doubles, sorted. */
export function packagesFor(names: Iterable<string>, known: Readonly<Record<string, string>>): string[] {
  const found = new Set<string>();
  for (const name of names) if (Object.hasOwn(known, name)) found.add(known[name]!);
  return [...found].sort();
}
