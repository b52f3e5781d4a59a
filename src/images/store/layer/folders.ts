import { makeFolderAt, makeNodeAt, unlinkAt } from "#base/system/files/change.ts";
import type { FileTime } from "#base/system/files/contract.ts";
import { closeFd, openFlags, openFolder, openInside } from "#base/system/files/open.ts";
import { statAt } from "#base/system/files/status.ts";
import { setXattrAt } from "#base/system/files/xattr.ts";
import { errnoName, must, syscallError } from "#base/system/libc/errno.ts";
import { inUserNamespace } from "#base/system/namespaces/user.ts";
import { applyMetadataAt, folderMetadata } from "./metadata.ts";
import { fromLatin1, pathOf, refuseLayer } from "./names.ts";

/** The attribute by which a mount made here knows an opaque folder. */
function opaqueMark(): string {
  return inUserNamespace() ? "user.overlay.opaque" : "trusted.overlay.opaque";
}

const yes = Buffer.from("y");
const cached = 64;
const epoch: FileTime = { seconds: 0, nanoseconds: 0 };
const bare = { mode: 0o755, uid: 0, gid: 0, xattrs: new Map<string, Uint8Array>(), modified: epoch };

/**
 * The folders of a layer being unpacked, opened by the kernel inside its root. The layer's own symlinks are followed
 * as a container would see them; nothing leads out.
 */
export class LayerFolders implements Disposable {
  readonly root: number;
  readonly #lowers: number[];
  readonly #open = new Map<string, number>();
  /** What each folder's time must be in the end. */
  readonly times = new Map<string, FileTime>();

  constructor(target: string, parents: readonly string[]) {
    this.root = openFolder(target).fd;
    this.#lowers = parents.map((parent) => openFolder(parent).fd);
    const top = folderMetadata(this.#lowers, fromLatin1("")) ?? bare;
    applyMetadataAt(this.root, fromLatin1("."), top, "other", "the root");
    this.times.set("", top.modified);
  }

  /** An O_PATH descriptor of the folder, made when missing. It belongs to this and is valid until the next call. */
  get(path: string): number {
    if (path === "") return this.root;
    const known = this.#open.get(path);
    if (known !== undefined) return known;
    const flags = openFlags.directory | openFlags.path;
    const opened = openInside(this.root, fromLatin1(path), "in-root", flags);
    if (opened >= 0) return this.#keep(path, opened);
    if (errnoName(opened) !== "ENOENT" && errnoName(opened) !== "ENOTDIR") this.#refuse(path, opened);
    this.#make(path, errnoName(opened));
    const made = openInside(this.root, fromLatin1(path), "in-root", flags);
    return made < 0 ? this.#refuse(path, made) : this.#keep(path, made);
  }

  /** Forgets open folders: something was replaced. */
  forget(): void {
    for (const fd of this.#open.values()) closeFd(fd);
    this.#open.clear();
  }

  /** Hides what the lower layers have in this folder. */
  makeOpaque(folder: number, base: Uint8Array, on: string): void {
    must(setXattrAt(folder, base, opaqueMark(), yes), { doing: "make opaque", on });
  }

  makeWhiteout(folder: number, base: Uint8Array, on: string): void {
    must(makeNodeAt(folder, base, "character", 0), { doing: "hide", on });
  }

  /** A folder that no entry names looks as it does below; without one below it is root's, 0755. */
  #make(path: string, why: string): void {
    const slash = path.lastIndexOf("/");
    const name = { folder: slash === -1 ? "" : path.slice(0, slash), base: path.slice(slash + 1) };
    const parent = this.get(name.folder);
    const base = fromLatin1(name.base);
    const there = statAt(parent, base);
    let opaque = false;
    if (typeof there === "object") {
      const whiteout = there.kind === "character" && there.major === 0 && there.minor === 0;
      if (!whiteout) refuseLayer(path, why === "ENOENT" ? "it is a link to nowhere" : "it is no folder");
      must(unlinkAt(parent, base), { doing: "replace", on: path });
      opaque = true;
    }
    must(makeFolderAt(parent, base, 0o700), { doing: "make the folder", on: path });
    const metadata = (opaque ? undefined : folderMetadata(this.#lowers, fromLatin1(pathOf(name)))) ?? bare;
    applyMetadataAt(parent, base, metadata, "other", path);
    this.times.set(path, metadata.modified);
    if (opaque) this.makeOpaque(parent, base, path);
  }

  #keep(path: string, fd: number): number {
    if (this.#open.size >= cached) {
      // The oldest: folders come in runs. Never one of the path's own parents matter: descriptors are independent.
      const [oldest] = this.#open;
      if (oldest !== undefined) {
        closeFd(oldest[1]);
        this.#open.delete(oldest[0]);
      }
    }
    this.#open.set(path, fd);
    return fd;
  }

  #refuse(path: string, result: number): never {
    const answer = errnoName(result);
    if (answer === "ELOOP") refuseLayer(path, "it is a loop of links");
    if (answer === "ENAMETOOLONG") refuseLayer(path, "its name is too long");
    if (answer === "ENOTDIR" || answer === "ENOENT") refuseLayer(path, "it is no folder");
    throw syscallError(-result, { doing: "open the layer's folder", on: path });
  }

  [Symbol.dispose](): void {
    this.forget();
    for (const fd of [this.root, ...this.#lowers]) closeFd(fd);
  }
}
