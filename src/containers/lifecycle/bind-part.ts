import { closeSync, lstatSync, mkdirSync, openSync, readdirSync, rmdirSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import type { OpenFile } from "#base/system/files/contract.ts";
import { currentFolder, openAt, openFlags, openFolder, openInside, owned } from "#base/system/files/open.ts";
import { statFd } from "#base/system/files/status.ts";
import { errnoName, must } from "#base/system/libc/errno.ts";
import { mount, mountFlags, unmount } from "#base/system/mounts/mount.ts";

interface Part {
  readonly source: string;
  readonly subpath?: string;
  readonly place: string;
  readonly shallow: boolean;
}

/**
 * CVE-2017-1002101: whoever writes the volume could make the part a link to the host, also between a look and the
 * mount. The kernel resolves it below the folder, and what it found is bound by its descriptor.
 */
export function bindAt({ source, subpath, place, shallow }: Part): void {
  using part = subpath === undefined ? openPlace(source) : openPart(source, subpath);
  const status = statFd(part.fd);
  const isFolder = typeof status !== "number" && status.kind === "directory";
  mkdirSync(isFolder ? place : dirname(place), { recursive: true, mode: 0o700 });
  if (!isFolder) closeSync(openSync(place, "a", 0o600));
  const flags = shallow ? mountFlags.bind : mountFlags.bind | mountFlags.recursive;
  mount({ source: `/proc/self/fd/${part.fd}`, target: place, flags });
}

function openPlace(path: string): OpenFile {
  return owned(must(openAt(currentFolder, path, openFlags.path), { doing: "mount", on: path }));
}

function openPart(folder: string, subpath: string): OpenFile {
  using top = openFolder(folder);
  const found = openInside(top.fd, subpath, "in-mounts", openFlags.path);
  if (found < 0 && ["ENOENT", "ENOTDIR"].includes(errnoName(found))) throw missing(subpath);
  return owned(must(found, { doing: "mount the part of a volume", on: subpath }));
}

/** Takes every bind in `folder` away; a place that is still mounted is never emptied, only refused. */
export function clearMountPoints(folder: string): void {
  for (const name of listed(folder)) {
    const place = join(folder, name);
    while (unmount(place, { lazy: true }));
    if (lstatSync(place).isDirectory()) rmdirSync(place);
    else unlinkSync(place);
  }
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return [];
  }
}

function missing(on: string): GantryError {
  return new GantryError("invalid", {
    doing: "mount the part of a volume",
    on,
    because: "the volume holds no such path",
    next: "Make it first, for example from a container that has the whole volume.",
  });
}
