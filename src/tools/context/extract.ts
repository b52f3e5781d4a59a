import {
  chmodSync,
  closeSync,
  existsSync,
  fchmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import type { TarEntry } from "#formats/tar/contract.ts";
import { entriesOf } from "#formats/tar/streams.ts";

/**
 * Writes an archive a container gave into a folder of the user's. Nothing in it is trusted: a name that leaves the
 * folder, or that leads through a link (also one the archive itself brought), is refused (CVE-2019-1002101 and its
 * kin). Devices and owners are left out.
 */
export async function extractArchive(
  source: AsyncIterable<Uint8Array>,
  place: { readonly folder: string; readonly name: string | undefined },
): Promise<void> {
  const root = rootOf(place.folder);
  for await (const { entry, content } of entriesOf(source)) {
    const parts = partsOf(entry.name, place.name);
    const path = join(root, ...parts);
    refuseLinks(root, parts.slice(0, -1), entry);
    if (entry.type === "directory") {
      // The user's own folder keeps its mode.
      if (parts.length > 0) makeFolder(path, entry);
    } else if (parts.length > 0) {
      mkdirSync(dirname(path), { recursive: true });
      await writeEntry(path, entry, content, root, place.name);
    }
  }
}

function rootOf(folder: string): string {
  try {
    return realpathSync(folder);
  } catch (cause) {
    throw new GantryError("not-found", { doing: "copy to", on: folder, because: "there is no such folder", cause });
  }
}

function refuse(entry: TarEntry, because: string): GantryError {
  return new GantryError("denied", {
    doing: "copy from the container",
    on: Buffer.from(entry.name).toString("utf8"),
    because,
  });
}

function partsOf(bytes: Uint8Array, name: string | undefined): string[] {
  const text = Buffer.from(bytes).toString("utf8");
  const parts = text.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) {
    throw new GantryError("denied", {
      doing: "copy from the container",
      on: text,
      because: "the name leads out of the target folder",
    });
  }
  return name === undefined ? parts : [name, ...parts.slice(text.startsWith("./") || text === "." ? 0 : 1)];
}

function refuseLinks(root: string, above: readonly string[], entry: TarEntry): void {
  let path = root;
  for (const part of above) {
    path = join(path, part);
    const status = lstatSync(path, { throwIfNoEntry: false });
    if (status === undefined) return;
    if (status.isSymbolicLink()) throw refuse(entry, "it would be written through a link");
  }
}

function makeFolder(path: string, entry: TarEntry): void {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status?.isSymbolicLink() === true) throw refuse(entry, "a link is where the folder has to be");
  mkdirSync(path, { recursive: true });
  chmodSync(path, (entry.mode & 0o777) | 0o700);
}

async function writeEntry(
  path: string,
  entry: TarEntry,
  content: AsyncIterable<Uint8Array>,
  root: string,
  name: string | undefined,
): Promise<void> {
  if (!["file", "symlink", "hardlink"].includes(entry.type)) return;
  if (existsSync(path) && lstatSync(path).isDirectory()) throw refuse(entry, "a folder is where the file has to be");
  if (entry.type === "hardlink") {
    const parts = partsOf(entry.linkName, name);
    refuseLinks(root, parts, entry);
    const first = join(root, ...parts);
    if (lstatSync(first, { throwIfNoEntry: false })?.isFile() !== true) throw refuse(entry, "it links to no file");
    if (first === path) return;
    rmSync(path, { force: true });
    linkSync(first, path);
    return;
  }
  rmSync(path, { force: true });
  if (entry.type === "symlink") {
    symlinkSync(Buffer.from(entry.linkName).toString("utf8"), path);
    return;
  }
  const fd = openSync(path, "wx", entry.mode & 0o777);
  try {
    for await (const chunk of content) for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
    // As it was there, whatever this user's umask.
    fchmodSync(fd, entry.mode & 0o777);
  } finally {
    closeSync(fd);
  }
  utimesSync(path, entry.modified.seconds, entry.modified.seconds);
}
