import type { Faults } from "#base/core/faults.ts";
import {
  linkAt,
  makeFolderAt,
  makeNodeAt,
  makeSymlinkAt,
  removeFolderAt,
  touchAt,
  unlinkAt,
} from "#base/system/files/change.ts";
import { listFolder } from "#base/system/files/list.ts";
import { openAt, openFlags, openInside, owned } from "#base/system/files/open.ts";
import { statAt } from "#base/system/files/status.ts";
import { errnoName, must, type SyscallResult } from "#base/system/libc/errno.ts";
import { inUserNamespace } from "#base/system/namespaces/user.ts";
import type { TarEntry, TarSink } from "#formats/tar/contract.ts";
import { Birth } from "./birth.ts";
import { FileContent } from "./content.ts";
import { LayerFolders } from "./folders.ts";
import { applyMetadataAt, isLayerXattr, type Metadata, touchFolder } from "./metadata.ts";
import { fromLatin1, type LayerName, latin1, meaningOf, pathOf, refuseLayer, splitLayerName } from "./names.ts";

/**
 * Writes a layer's entries as an overlay layer. Everything goes by open folder and last name: no name of the tar is
 * ever resolved outside the target (1B rows 1, 2, 3, 5, 12).
 */
export class LayerExtractor implements TarSink, Disposable {
  readonly #folders: LayerFolders;
  readonly #isBase: boolean;
  readonly #faults: Faults;
  readonly #birth = new Birth();
  #content: FileContent | undefined;
  bytes = 0;
  files = 0;
  strippedXattrs = 0;

  /** `parents` nearest first; a base layer needs no whiteouts. */
  constructor(target: string, parents: readonly string[], faults: Faults) {
    this.#folders = new LayerFolders(target, parents);
    this.#isBase = parents.length === 0;
    this.#faults = faults;
  }

  entry(entry: TarEntry): void {
    this.#faults.at("images.unpack.entry");
    const name = splitLayerName(entry.name);
    const path = pathOf(name);
    if (name.base === "") {
      if (entry.type !== "directory") refuseLayer("/", `a ${entry.type} would replace the root`);
      this.#folder(entry, name, path);
      return;
    }
    const meaning = meaningOf(name);
    if (meaning.kind === "ignored") return;
    if (meaning.kind === "entry") this.#place(entry, name, path);
    else if (meaning.kind === "opaque") this.#opaque(name.folder);
    else this.#whiteout(name.folder, meaning.hides, path);
  }

  data(chunk: Uint8Array): void {
    // Bytes of a whiteout or an ignored entry say nothing.
    if (this.#content === undefined) return;
    this.bytes += chunk.length;
    this.#content.write(chunk);
  }

  end(): void {
    const content = this.#content;
    this.#content = undefined;
    content?.end();
  }

  /** Sets the folders' times, which their children changed. */
  finish(): void {
    for (const [path, time] of this.#folders.times) touchFolder(this.#folders.root, fromLatin1(path), time);
  }

  [Symbol.dispose](): void {
    this.#content?.[Symbol.dispose]();
    this.#content = undefined;
    this.#folders[Symbol.dispose]();
  }

  #place(entry: TarEntry, name: LayerName, path: string): void {
    this.files += 1;
    if (entry.type === "directory") {
      this.#folder(entry, name, path);
      return;
    }
    // GNU tar would make a folder of it, others a file: readers must not differ about a layer.
    if (entry.name.at(-1) === 0x2f) refuseLayer(path, `it is a ${entry.type} but its name ends in a slash`);
    const base = fromLatin1(name.base);
    if (entry.type === "hardlink") this.#hardLink(entry, name, base, path);
    else if (entry.type === "file") this.#file(entry, name, base, path);
    else this.#special(entry, name, base, path);
  }

  #file(entry: TarEntry, name: LayerName, base: Uint8Array, path: string): void {
    const flags = openFlags.write | openFlags.create | openFlags.exclusive | openFlags.noFollow;
    const metadata = this.#metadataOf(entry);
    const fd = this.#making(name, base, path, (folder) =>
      openAt(folder, base, flags, this.#birth.modeFor(name.folder, metadata)),
    );
    const lacks = this.#birth.lacks(name.folder, fd, metadata);
    this.#content = new FileContent(fd, path, { entry, metadata, lacks });
  }

  #special(entry: TarEntry, name: LayerName, base: Uint8Array, path: string): void {
    const { type, major, minor } = entry;
    if (type === "character" && major === 0 && minor === 0)
      refuseLayer(path, "it is overlay's own whiteout device 0:0");
    if ((type === "character" || type === "block") && inUserNamespace()) {
      // Only the machine's root makes devices. A container has a /dev of its own; what lies below must not show instead.
      this.#whiteout(name.folder, name.base, path);
      return;
    }
    if (major > 4095 || minor > 1_048_575) refuseLayer(path, `its device number ${major}:${minor} is too big`);
    if (type === "symlink" && (entry.linkName.length === 0 || entry.linkName.length > 4095))
      refuseLayer(path, "its link target is empty or longer than 4095 bytes");
    this.#making(name, base, path, (folder) =>
      type === "symlink"
        ? makeSymlinkAt(entry.linkName, folder, base)
        : makeNodeAt(folder, base, type as "character" | "block" | "fifo", 0o600, major, minor),
    );
    const folder = this.#folders.get(name.folder);
    applyMetadataAt(folder, base, this.#metadataOf(entry), type === "symlink" ? "symlink" : "other", path);
    must(touchAt(folder, base, entry.modified), { doing: "set the time of", on: path });
  }

  #hardLink(entry: TarEntry, name: LayerName, base: Uint8Array, path: string): void {
    const target = splitLayerName(entry.linkName);
    if (target.base === "" || meaningOf(target).kind !== "entry") refuseLayer(path, "it is a hard link to no file");
    if (pathOf(target) === path) refuseLayer(path, "it is a hard link to itself");
    // A symlinked parent could name a file of another layer's view: hard links name what this layer brought.
    const flags = openFlags.directory | openFlags.path;
    const folderName = target.folder === "" ? "." : fromLatin1(target.folder);
    const opened = openInside(this.#folders.root, folderName, "beneath", flags);
    if (opened < 0) refuseLayer(path, `its link target's folder is not in the layer (${errnoName(opened)})`);
    using from = owned(opened);
    const targetBase = fromLatin1(target.base);
    const found = statAt(from.fd, targetBase);
    if (typeof found !== "object") refuseLayer(path, `its link target ${latin1(entry.linkName)} is not in the layer`);
    if (found.kind === "directory" || (found.kind === "character" && found.major === 0 && found.minor === 0))
      refuseLayer(path, "it is a hard link to a folder or a whiteout");
    this.#making(name, base, path, (folder) => linkAt(from.fd, targetBase, folder, base));
  }

  #folder(entry: TarEntry, name: LayerName, path: string): void {
    const root = name.base === "";
    this.#birth.forget();
    const folder = this.#folders.get(name.folder);
    const base = fromLatin1(root ? "." : name.base);
    let opaque = false;
    if (!root) {
      const there = statAt(folder, base);
      if (typeof there === "object" && there.kind !== "directory") {
        opaque = !this.#isBase && there.kind === "character" && there.major === 0 && there.minor === 0;
        must(unlinkAt(folder, base), { doing: "replace", on: path });
        this.#folders.forget();
      }
      if (typeof there !== "object" || there.kind !== "directory")
        must(makeFolderAt(this.#folders.get(name.folder), base, 0o700), { doing: "make the folder", on: path });
    }
    const parent = this.#folders.get(name.folder);
    applyMetadataAt(parent, base, this.#metadataOf(entry), "other", path);
    if (opaque) this.#folders.makeOpaque(parent, base, path);
    this.#folders.times.set(path, entry.modified);
  }

  #opaque(folder: string): void {
    const fd = this.#folders.get(folder);
    if (!this.#isBase) this.#folders.makeOpaque(fd, fromLatin1("."), folder === "" ? "/" : folder);
  }

  /** A name this layer brings itself stays: whiteouts hide only what lies below (image-spec, layer.md). */
  #whiteout(folderName: string, hides: string, path: string): void {
    const folder = this.#folders.get(folderName);
    if (this.#isBase) return;
    const base = fromLatin1(hides);
    const there = statAt(folder, base);
    if (typeof there !== "object") this.#folders.makeWhiteout(folder, base, path);
    else if (there.kind === "directory") this.#folders.makeOpaque(folder, base, path);
  }

  /** Makes a name; what was there before goes first. Later entries win, as with tar. */
  #making(name: LayerName, base: Uint8Array, path: string, make: (folder: number) => SyscallResult): number {
    let result = make(this.#folders.get(name.folder));
    if (result < 0 && errnoName(result) === "EEXIST") {
      removeAt(this.#folders.get(name.folder), base, path, 0);
      this.#folders.forget();
      this.#birth.forget();
      result = make(this.#folders.get(name.folder));
    }
    return must(result, { doing: "make the layer's file", on: path });
  }

  #metadataOf(entry: TarEntry): Metadata {
    if (entry.xattrs.size === 0) return entry;
    const xattrs = new Map([...entry.xattrs].filter(([name]) => isLayerXattr(name)));
    this.strippedXattrs += entry.xattrs.size - xattrs.size;
    return { ...entry, xattrs };
  }
}

/** Removes a name of the layer with everything below it. */
function removeAt(folder: number, base: Uint8Array, path: string, depth: number): void {
  const unlinked = unlinkAt(folder, base);
  if (unlinked >= 0 || errnoName(unlinked) !== "EISDIR") {
    must(unlinked, { doing: "replace", on: path });
    return;
  }
  if (depth > 500) refuseLayer(path, "it replaces a folder more than 500 levels deep");
  {
    using inner = owned(
      must(openAt(folder, base, openFlags.directory | openFlags.noFollow), { doing: "open", on: path }),
    );
    for (const entry of listFolder(inner.fd)) removeAt(inner.fd, entry.name, path, depth + 1);
  }
  must(removeFolderAt(folder, base), { doing: "replace", on: path });
}
