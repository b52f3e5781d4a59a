import { readSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import { readLinkAt } from "#base/system/files/change.ts";
import type { FileStatus } from "#base/system/files/contract.ts";
import { listFolder } from "#base/system/files/list.ts";
import { openAt, openFlags, openFolder, owned } from "#base/system/files/open.ts";
import { statAt, statFd } from "#base/system/files/status.ts";
import { listXattrsAt } from "#base/system/files/xattr.ts";
import { must } from "#base/system/libc/errno.ts";
import type { EntryType, TarEntry, TarWriter } from "#formats/tar/contract.ts";
import { tarEntry } from "#formats/tar/writer.ts";
import { isOpaque, isWhiteout, type LowerFile, LowerFolder } from "./lower-view.ts";
import { contentXattrs } from "./metadata.ts";
import { fromLatin1, latin1, opaqueName, whiteoutPrefix } from "./names.ts";
import type { LayerRules } from "./rules.ts";

const compareBytes = 1024 * 1024;
const dot = Buffer.from(".");

/** A folder on the way, written when something in it is. */
interface PendingFolder {
  readonly entry: TarEntry;
  readonly parent: PendingFolder | undefined;
  written: boolean;
  leftOut: boolean;
}

/**
 * Walks an upper and writes what it changes: parents first, children in byte order, so that neither the file system's
 * order nor a copy-up without a change is in the bytes.
 */
export class UpperWalk {
  readonly #writer: TarWriter;
  readonly #rules: LayerRules;
  readonly #check: () => void;
  readonly #buffer = new Uint8Array(compareBytes);
  readonly #other = new Uint8Array(compareBytes);
  /** First path of each inode that has several. */
  readonly #links = new Map<number, string>();
  entries = 0;
  contentBytes = 0;

  constructor(writer: TarWriter, rules: LayerRules, check: () => void) {
    this.#writer = writer;
    this.#rules = rules;
    this.#check = check;
  }

  run(upper: string, lowers: readonly string[]): void {
    using folder = openFolder(upper);
    using lower = LowerFolder.top(lowers);
    const status = statFd(folder.fd) as FileStatus;
    const below = lower.find(dot);
    const root = this.#folderEntry("", status, folder.fd, dot);
    const pending: PendingFolder = { entry: root, parent: undefined, written: false, leftOut: false };
    this.#refuseForeign(folder.fd, dot, "/");
    const same = below === undefined ? isPlainRoot(root) : this.#sameMetadata("", root, below, dot);
    if (!same) this.#write(pending);
    this.#children(folder.fd, "", pending, lower);
  }

  #children(fd: number, path: string, folder: PendingFolder, lower: LowerFolder): void {
    const names = listFolder(fd).map((entry) => entry.name);
    for (const name of names.sort(Buffer.compare)) this.#one(fd, name, path, folder, lower);
  }

  #one(fd: number, name: Uint8Array, path: string, folder: PendingFolder, lower: LowerFolder): void {
    this.#check();
    const text = latin1(name);
    const full = path === "" ? text : `${path}/${text}`;
    if (this.#rules.leavesOut(full)) {
      folder.leftOut = true;
      return;
    }
    const status = statAt(fd, name);
    if (typeof status !== "object") return;
    if (status.kind === "socket") return;
    if (isWhiteout(status)) {
      if (lower.find(name) !== undefined) this.#mark(path, whiteoutPrefix + text, folder);
      return;
    }
    if (text.startsWith(whiteoutPrefix)) refuse(full, "its name begins with .wh., which layers keep for whiteouts");
    this.#refuseForeign(fd, name, full);
    if (status.kind === "directory") this.#folder(fd, name, full, status, folder, lower);
    else this.#file(fd, name, full, status, folder, lower.find(name));
  }

  #folder(
    fd: number,
    name: Uint8Array,
    path: string,
    status: FileStatus,
    parent: PendingFolder,
    lower: LowerFolder,
  ): void {
    const flags = openFlags.directory | openFlags.noFollow;
    using inner = owned(must(openAt(fd, name, flags), { doing: "open the folder", on: path }));
    const below = lower.find(name);
    const hides = isOpaque(inner.fd) && below?.status.kind === "directory";
    const entry = this.#folderEntry(path, status, fd, name);
    const pending: PendingFolder = { entry, parent, written: false, leftOut: false };
    const isNew = below?.status.kind !== "directory";
    if (hides) this.#mark(path, opaqueName, pending);
    using merged = isOpaque(inner.fd) || isNew ? LowerFolder.none() : lower.enter(name);
    this.#children(inner.fd, path, pending, merged);
    if (pending.written || (isNew && pending.leftOut)) return;
    if (isNew || !this.#sameMetadata(path, entry, below!, name)) this.#write(pending);
  }

  #file(
    fd: number,
    name: Uint8Array,
    path: string,
    status: FileStatus,
    folder: PendingFolder,
    below: LowerFile | undefined,
  ): void {
    const first = status.links > 1 ? this.#links.get(status.inode) : undefined;
    const type: EntryType = first === undefined ? (status.kind as EntryType) : "hardlink";
    if (status.links > 1 && first === undefined) this.#links.set(status.inode, path);
    const target = status.kind === "symlink" ? readLinkAt(fd, name) : new Uint8Array(0);
    if (typeof target === "number") refuse(path, "its link target cannot be read");
    const entry = tarEntry({
      ...this.#metadata(path, status, fd, name),
      name: fromLatin1(path),
      type,
      size: type === "file" ? status.size : 0,
      linkName: first === undefined ? target : fromLatin1(first),
      major: type === "character" || type === "block" ? status.major : 0,
      minor: type === "character" || type === "block" ? status.minor : 0,
      ...(type === "hardlink" ? { xattrs: new Map<string, Uint8Array>() } : {}),
    });
    // A file with links of its own is new: overlay breaks links when it copies up.
    if (status.links === 1 && below !== undefined && this.#same(path, entry, status, fd, name, below)) return;
    this.#writeAll(folder);
    this.#writer.entry(entry);
    this.entries += 1;
    if (type === "file") this.#copy(fd, name, path, status.size);
  }

  #copy(fd: number, name: Uint8Array, path: string, size: number): void {
    using file = owned(must(openAt(fd, name, openFlags.noFollow), { doing: "read the layer's file", on: path }));
    let left = size;
    while (left > 0) {
      const got = readSync(file.fd, this.#buffer, 0, Math.min(left, this.#buffer.length), null);
      if (got === 0) refuse(path, "it became shorter while it was read");
      this.#writer.data(this.#buffer.subarray(0, got));
      left -= got;
    }
    this.contentBytes += size;
  }

  /** A whiteout or an opaque mark: an empty file. */
  #mark(path: string, name: string, folder: PendingFolder): void {
    this.#writeAll(folder);
    const full = path === "" ? name : `${path}/${name}`;
    this.#writer.entry(tarEntry({ name: fromLatin1(full), type: "file", mode: 0, modified: this.#rules.layerTime }));
    this.entries += 1;
  }

  #writeAll(folder: PendingFolder): void {
    if (folder.written) return;
    // The root itself is written only for its own sake.
    if (folder.parent === undefined) return;
    this.#writeAll(folder.parent);
    this.#write(folder);
  }

  #write(folder: PendingFolder): void {
    if (folder.parent !== undefined) this.#writeAll(folder.parent);
    folder.written = true;
    this.#writer.entry(folder.entry);
    this.entries += 1;
  }

  #folderEntry(path: string, status: FileStatus, fd: number, name: Uint8Array): TarEntry {
    const slashed = fromLatin1(path === "" ? "./" : `${path}/`);
    return tarEntry({ ...this.#metadata(path, status, fd, name), name: slashed, type: "directory" });
  }

  #metadata(path: string, status: FileStatus, fd: number, name: Uint8Array) {
    return {
      mode: status.mode,
      uid: this.#rules.uid(path, status.uid),
      gid: this.#rules.gid(path, status.gid),
      modified: this.#rules.time(path, status.modified),
      xattrs: this.#rules.xattrs(contentXattrs(fd, name)),
    };
  }

  /** Mode, owner and xattrs. A folder's time changes with its children and alone is no change. */
  #sameMetadata(path: string, entry: TarEntry, below: LowerFile, name: Uint8Array): boolean {
    const lower = this.#metadata(path, below.status, below.folder, name);
    if (entry.mode !== lower.mode || entry.uid !== lower.uid || entry.gid !== lower.gid) return false;
    if (entry.xattrs.size !== lower.xattrs.size) return false;
    for (const [key, value] of entry.xattrs) {
      const other = lower.xattrs.get(key);
      if (other === undefined || Buffer.compare(value, other) !== 0) return false;
    }
    return true;
  }

  #same(path: string, entry: TarEntry, status: FileStatus, fd: number, name: Uint8Array, below: LowerFile): boolean {
    const lower = below.status;
    if (status.kind !== lower.kind || !this.#sameMetadata(path, entry, below, name)) return false;
    if (entry.modified.seconds !== lower.modified.seconds) return false;
    if (status.kind === "symlink") {
      const other = readLinkAt(below.folder, name);
      return typeof other !== "number" && Buffer.compare(entry.linkName, other) === 0;
    }
    if (status.kind !== "file") return status.major === lower.major && status.minor === lower.minor;
    return status.size === lower.size && this.#sameContent(fd, below.folder, name, status.size);
  }

  #sameContent(upper: number, lower: number, name: Uint8Array, size: number): boolean {
    using one = owned(must(openAt(upper, name, openFlags.noFollow), { doing: "read the layer's file" }));
    using two = owned(must(openAt(lower, name, openFlags.noFollow), { doing: "read the lower layer's file" }));
    for (let left = size; left > 0; ) {
      const want = Math.min(left, compareBytes);
      const a = readSync(one.fd, this.#buffer, 0, want, size - left);
      const b = readSync(two.fd, this.#other, 0, want, size - left);
      if (a === 0 || a !== b || Buffer.compare(this.#buffer.subarray(0, a), this.#other.subarray(0, b)) !== 0)
        return false;
      left -= a;
    }
    return true;
  }

  /** What overlay writes only when it was mounted with other options: such an upper is not a whole layer. */
  #refuseForeign(fd: number, name: Uint8Array, path: string): void {
    const names = listXattrsAt(fd, name);
    if (typeof names === "number") return;
    const foreign = names.find((xattr) => /^(trusted|user)\.overlay\.(redirect|metacopy)$/.test(xattr));
    if (foreign !== undefined) refuse(path, `it has ${foreign}: the overlay was mounted with redirect_dir or metacopy`);
  }
}

function isPlainRoot(entry: TarEntry): boolean {
  return entry.mode === 0o755 && entry.uid === 0 && entry.gid === 0 && entry.xattrs.size === 0;
}

function refuse(path: string, because: string): never {
  throw new GantryError("invalid", {
    doing: "write the layer's file",
    on: Buffer.from(path, "latin1").toString(),
    because,
  });
}
