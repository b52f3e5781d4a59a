import { ftruncateSync, readSync, writeSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import {
  chmodFd,
  chmodSafelyAt,
  chownAt,
  chownFd,
  linkAt,
  makeFolderAt,
  makeNodeAt,
  makeSymlinkAt,
  readLinkAt,
  touchAt,
  touchFd,
  unlinkAt,
} from "#base/system/files/change.ts";
import type { FileTime, OpenFile, Resolution } from "#base/system/files/contract.ts";
import { openAt, openFlags, openFolder, openInside, owned } from "#base/system/files/open.ts";
import { mustOwn } from "#base/system/files/owner.ts";
import { statAt } from "#base/system/files/status.ts";
import { setXattrAt, setXattrFd } from "#base/system/files/xattr.ts";
import { errnoName, must } from "#base/system/libc/errno.ts";
import { inUserNamespace } from "#base/system/namespaces/user.ts";
import type { SourceEntry } from "./source-tree.ts";

/** What a new file or folder gets; what --chown and --chmod say is in it already. */
export type Metadata = Pick<SourceEntry, "mode" | "uid" | "gid" | "xattrs"> & {
  /** Instead of the destination's one time, where a copy is to keep its own (`cp`). */
  readonly modified?: FileTime;
};

/** A file being written; without `finish` it is not one yet. */
export interface NewFile extends Disposable {
  /** At the end so far, or at a position: what is skipped reads as zeros. */
  write(bytes: Uint8Array, position?: number): void;
  finish(metadata: Metadata, size?: number): void;
}

/** As many as the kernel follows. */
const mostLinks = 40;
const plainFolder: Metadata = { mode: 0o755, uid: 0, gid: 0, xattrs: [] };
const piece = Buffer.allocUnsafe(1024 * 1024);

/**
 * A mounted root that is written into. Every path is resolved by the kernel as if the root were "/", so that no link
 * in an image leads out of it. Everything made gets the layer time.
 */
export class Destination implements Disposable {
  readonly #root: OpenFile;
  readonly #time: FileTime;
  readonly #resolution: Resolution;

  constructor(root: string, layerTime: number, resolution: Resolution = "in-root") {
    this.#root = openFolder(root);
    this.#resolution = resolution;
    this.#time = { seconds: layerTime, nanoseconds: 0 };
  }

  [Symbol.dispose](): void {
    this.#root[Symbol.dispose]();
  }

  /** Whether the path, links followed, is a folder. */
  isFolder(path: Uint8Array): boolean {
    const fd = openInside(this.#root.fd, relative(path), this.#resolution, openFlags.directory | openFlags.path);
    if (fd < 0) return false;
    owned(fd)[Symbol.dispose]();
    return true;
  }

  /** Opens a folder, making what is missing: those above it plain, it itself with `made`. One that exists is kept. */
  folder(path: Uint8Array, made: Metadata = plainFolder, above: Metadata = plainFolder): OpenFile {
    const names = split(path);
    const whole = this.#open(names);
    if (whole !== undefined) return whole;
    this.#make(names, made, above, 0);
    const opened = this.#open(names);
    if (opened !== undefined) return opened;
    // Whoever shares this root (a container, under `cp`) took it away meanwhile.
    throw new GantryError("conflict", {
      doing: "make the folder",
      on: shown(path),
      because: "it vanished at once",
      next: "Try again.",
    });
  }

  #make(names: readonly Uint8Array[], made: Metadata, above: Metadata, links: number): void {
    for (let count = 1; count <= names.length; count++) {
      const part = names.slice(0, count);
      const existing = this.#open(part);
      if (existing !== undefined) {
        existing[Symbol.dispose]();
        continue;
      }
      const metadata = count === names.length ? made : above;
      const target = this.#linkTarget(part);
      if (target === undefined) this.#makeFolder(part, metadata);
      else if (links < mostLinks) this.#make(target, metadata, above, links + 1);
      else throw inTheWay(joinNames(part), "its links lead in a circle");
    }
  }

  /** Where a link that leads nowhere would lead, so that it can be made there; the kernel resolves it again. */
  #linkTarget(names: readonly Uint8Array[]): Uint8Array[] | undefined {
    using parent = this.#open(names.slice(0, -1));
    const link = parent === undefined ? -1 : readLinkAt(parent.fd, names.at(-1)!);
    if (typeof link === "number") return undefined;
    if (link[0] === slash) return split(link);
    return split(Buffer.concat([joinNames(names.slice(0, -1)), Buffer.from("/"), link]));
  }

  #open(names: readonly Uint8Array[]): OpenFile | undefined {
    const path = joinNames(names);
    const fd = openInside(this.#root.fd, path, this.#resolution, openFlags.directory);
    if (fd >= 0) return owned(fd);
    if (errnoName(fd) === "ENOENT") return undefined;
    if (errnoName(fd) === "ENOTDIR") throw inTheWay(path, "a file is where a folder has to be");
    must(fd, { doing: "open in the image the folder", on: shown(path) });
    return undefined;
  }

  #makeFolder(names: readonly Uint8Array[], { mode, uid, gid, xattrs, modified }: Metadata): void {
    const path = joinNames(names);
    using parent = this.#open(names.slice(0, -1));
    if (parent === undefined) throw inTheWay(path, "the folder it is in vanished");
    const name = names.at(-1)!;
    const result = makeFolderAt(parent.fd, name, 0o700);
    must(result, { doing: "make in the image the folder", on: shown(path) });
    const doing = { doing: "finish in the image the folder", on: shown(path) };
    mustOwn(chownAt(parent.fd, name, uid, gid), uid, gid, shown(path));
    must(chmodSafelyAt(parent.fd, name, mode), doing);
    for (const [xattr, value] of xattrs) must(setXattrAt(parent.fd, name, xattr, value), doing);
    must(touchAt(parent.fd, name, modified ?? this.#time), doing);
  }

  /** Begins a file, in place of a file or link that is there. It has its metadata once finished. */
  create(folder: OpenFile, name: Uint8Array): NewFile {
    const doing = { doing: "write in the image the file", on: shown(name) };
    this.#clear(folder, name);
    const flags = openFlags.write | openFlags.create | openFlags.exclusive | openFlags.noFollow;
    const file = owned(must(openAt(folder.fd, name, flags, 0o600), doing));
    let end = 0;
    return {
      write: (bytes, position = end) => {
        for (let at = 0; at < bytes.length; ) at += writeSync(file.fd, bytes, at, bytes.length - at, position + at);
        end = position + bytes.length;
      },
      finish: (metadata, size = end) => {
        if (size > end) ftruncateSync(file.fd, size);
        mustOwn(chownFd(file.fd, metadata.uid, metadata.gid), metadata.uid, metadata.gid, shown(name));
        must(chmodFd(file.fd, metadata.mode), doing);
        for (const [xattr, value] of metadata.xattrs) must(setXattrFd(file.fd, xattr, value), doing);
        must(touchFd(file.fd, metadata.modified ?? this.#time), doing);
      },
      [Symbol.dispose]: () => file[Symbol.dispose](),
    };
  }

  /** A copy of an open file. */
  copyFile(folder: OpenFile, name: Uint8Array, metadata: Metadata, from: number): void {
    using file = this.create(folder, name);
    for (;;) {
      const length = readSync(from, piece, 0, piece.length, null);
      if (length === 0) break;
      file.write(piece.subarray(0, length));
    }
    file.finish(metadata);
  }

  /** A second name of a file of the image; the path's folders are resolved as all others. */
  link(folder: OpenFile, name: Uint8Array, path: Uint8Array): void {
    const names = split(path);
    const last = names.at(-1);
    using from = last === undefined ? undefined : this.#open(names.slice(0, -1));
    if (from === undefined || last === undefined) {
      throw new GantryError("invalid", {
        doing: "make in the image the hard link",
        on: shown(name),
        because: "its target is not there",
      });
    }
    this.#clear(folder, name);
    must(linkAt(from.fd, last, folder.fd, name), { doing: "make in the image the hard link", on: shown(name) });
  }

  symlink(folder: OpenFile, name: Uint8Array, target: Uint8Array, { uid, gid, modified }: Metadata): void {
    const doing = { doing: "make in the image the link", on: shown(name) };
    this.#clear(folder, name);
    must(makeSymlinkAt(target, folder.fd, name), doing);
    mustOwn(chownAt(folder.fd, name, uid, gid), uid, gid, shown(name));
    must(touchAt(folder.fd, name, modified ?? this.#time), doing);
  }

  node(
    folder: OpenFile,
    name: Uint8Array,
    kind: "character" | "block" | "fifo",
    device: { readonly major: number; readonly minor: number },
    metadata: Metadata,
  ): void {
    const doing = { doing: "make in the image the node", on: shown(name) };
    this.#clear(folder, name);
    if (kind !== "fifo" && inUserNamespace()) throw noDevices(shown(name));
    must(makeNodeAt(folder.fd, name, kind, 0o600, device.major, device.minor), doing);
    mustOwn(chownAt(folder.fd, name, metadata.uid, metadata.gid), metadata.uid, metadata.gid, shown(name));
    must(chmodSafelyAt(folder.fd, name, metadata.mode), doing);
    must(touchAt(folder.fd, name, metadata.modified ?? this.#time), doing);
  }

  /** The name is free afterwards; a folder is never removed for a file. */
  #clear(folder: OpenFile, name: Uint8Array): void {
    const status = statAt(folder.fd, name);
    if (status === undefined) return;
    if (typeof status === "object" && status.kind === "directory") {
      throw inTheWay(name, "a folder is where a file has to be");
    }
    must(unlinkAt(folder.fd, name), { doing: "replace in the image the file", on: shown(name) });
  }
}

function inTheWay(path: Uint8Array, because: string): GantryError {
  return new GantryError("conflict", {
    doing: "copy into the image at",
    on: `/${shown(path)}`.replace("//", "/"),
    because,
    next: "Choose another destination, or remove what is there in a RUN before.",
  });
}

function noDevices(on: string): GantryError {
  return new GantryError("unsupported", {
    doing: "make in the image the device",
    on,
    because: "a user's engine may make none",
    next: "Leave it out: every container has a /dev of its own. Or build as root.",
  });
}

const slash = 0x2f;

/** The names of a path; "." and empty ones dropped, ".." resolved, nothing leads above the root. */
export function split(path: Uint8Array): Uint8Array[] {
  const names: Uint8Array[] = [];
  for (let at = 0; at <= path.length; ) {
    const next = path.indexOf(slash, at);
    const end = next < 0 ? path.length : next;
    const name = path.subarray(at, end);
    at = end + 1;
    const dots = name.length <= 2 && name.every((byte) => byte === 0x2e);
    if (name.length === 0 || (dots && name.length === 1)) continue;
    if (dots) names.pop();
    else names.push(name);
  }
  return names;
}

export function joinNames(names: readonly Uint8Array[]): Uint8Array {
  if (names.length === 0) return Buffer.from(".");
  return Buffer.concat(names.flatMap((name, index) => (index === 0 ? [name] : [Buffer.from("/"), name])));
}

function relative(path: Uint8Array): Uint8Array {
  return joinNames(split(path));
}

function shown(path: Uint8Array): string {
  return Buffer.from(path).toString("utf8");
}
