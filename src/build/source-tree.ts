import { GantryError } from "#base/core/errors.ts";
import { readLinkAt } from "#base/system/files/change.ts";
import type { FileStatus } from "#base/system/files/contract.ts";
import { listFolder } from "#base/system/files/list.ts";
import { openAt, openFlags, openFolder, openInside, owned } from "#base/system/files/open.ts";
import { statAt, statFd } from "#base/system/files/status.ts";
import { getXattrAt, listXattrsAt } from "#base/system/files/xattr.ts";
import { must } from "#base/system/libc/errno.ts";
import { type IgnoreRules, parseIgnore } from "#formats/dockerfile/ignore.ts";
import { type NamePattern, pathPattern } from "./path-match.ts";
import type { SourceRoot } from "./tasks.ts";

/** A file, folder or link that COPY takes, as its copy is to be. */
export interface SourceEntry {
  readonly kind: FileStatus["kind"];
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly major: number;
  readonly minor: number;
  /** Of a symlink. */
  readonly linkTarget?: Uint8Array;
  readonly xattrs: readonly (readonly [string, Uint8Array])[];
}

/** A folder that is read, held by its descriptor, and what of it may be copied. */
export class SourceTree implements Disposable {
  readonly #root: ReturnType<typeof openFolder>;
  readonly #ignore: IgnoreRules;
  readonly #exclude: IgnoreRules;
  readonly #keepMode: boolean;

  constructor(root: SourceRoot, exclude: readonly string[]) {
    this.#root = openFolder(root.folder);
    this.#ignore = parseIgnore(root.ignore);
    this.#exclude = parseIgnore(exclude.join("\n"));
    this.#keepMode = root.keepMode;
  }

  [Symbol.dispose](): void {
    this.#root[Symbol.dispose]();
  }

  /** Paths that a source as written matches, in byte order. Error "not-found": none. */
  match(source: string): Uint8Array[] {
    const found = this.#matchBelow("", pathPattern(source));
    if (found.length > 0) return found.map((path) => Buffer.from(path, "latin1")).sort(Buffer.compare);
    throw new GantryError("not-found", {
      doing: "copy",
      on: source,
      because: "nothing in the source matches it, or .dockerignore leaves it out",
      next: "Paths are relative to the build context; check the spelling and .dockerignore.",
    });
  }

  /** Paths are kept as Latin-1, one character a byte, while they are put together. */
  #matchBelow(path: string, names: readonly NamePattern[]): string[] {
    const [first, ...rest] = names;
    if (first === undefined) return this.#exists(path) ? [path] : [];
    if (first.literal !== undefined) {
      const name = Buffer.from(first.literal, "utf8").toString("latin1");
      return this.#matchBelow(join(path, name), rest);
    }
    const fd = openInside(this.#root.fd, inside(path), "in-root", openFlags.directory);
    if (fd < 0) return [];
    using folder = owned(fd);
    return listFolder(folder.fd)
      .filter(({ name }) => first.matches(Buffer.from(name).toString("utf8")))
      .flatMap(({ name }) => this.#matchBelow(join(path, Buffer.from(name).toString("latin1")), rest));
  }

  #exists(path: string): boolean {
    // An ignored folder may hold what an exception lets in again.
    if (path !== "" && this.#ignore.ignores(utf8(path)) && this.#ignore.prunes(utf8(path))) return false;
    const fd = openInside(this.#root.fd, inside(path), "in-root", openFlags.path);
    if (fd < 0) return false;
    using file = owned(fd);
    const status = statFd(file.fd);
    return (
      typeof status === "object" && (status.kind === "directory" || path === "" || !this.#ignore.ignores(utf8(path)))
    );
  }

  /** A matched path itself: links at its end are followed, inside the root. */
  open(path: Uint8Array): { readonly fd: number; readonly entry: SourceEntry } & Disposable {
    const shown = Buffer.from(path).toString("utf8");
    const doing = { doing: "read the source", on: shown };
    const name = inside(Buffer.from(path).toString("latin1"));
    const probe = owned(must(openInside(this.#root.fd, name, "in-root", openFlags.path), doing));
    const status = statFd(probe.fd);
    probe[Symbol.dispose]();
    if (typeof status !== "object") throw new GantryError("internal", { ...doing, because: "it cannot be looked at" });
    const flags = status.kind === "directory" ? openFlags.directory : openFlags.read | openFlags.nonBlock;
    const readable = status.kind === "directory" || status.kind === "file";
    const fd = must(openInside(this.#root.fd, name, "in-root", readable ? flags : openFlags.path), doing);
    const file = owned(fd);
    return {
      fd,
      entry: { ...this.#entry(status), xattrs: this.#keepMode ? this.#topXattrs(name) : [] },
      [Symbol.dispose]: () => file[Symbol.dispose](),
    };
  }

  /** By parent and name: the calls know no descriptors. Those of a link's target are left out. */
  #topXattrs(path: Uint8Array): SourceEntry["xattrs"] {
    const at = path.lastIndexOf(0x2f);
    const parent = openInside(this.#root.fd, at < 0 ? "." : path.subarray(0, at), "in-root", openFlags.directory);
    if (parent < 0) return [];
    using folder = owned(parent);
    const name = path.subarray(at + 1);
    const status = statAt(folder.fd, name);
    return typeof status === "object" && status.kind !== "symlink" ? xattrsOf(folder.fd, name) : [];
  }

  /**
   * What an open folder holds and may be copied, in byte order. `path` is the folder's own, relative to the root, for
   * the ignore file; `below` is relative to the source as written, for `--exclude`.
   */
  children(
    folder: number,
    path: string,
    below: string,
  ): { name: Uint8Array; entry: SourceEntry; path: string; below: string }[] {
    return listFolder(folder)
      .sort((a, b) => Buffer.compare(a.name, b.name))
      .flatMap(({ name }) => {
        const status = statAt(folder, name);
        if (typeof status !== "object" || status.kind === "socket") return [];
        const text = Buffer.from(name).toString("utf8");
        const at = { path: join(path, text), below: join(below, text) };
        if (this.#leavesOut(at.path, at.below, status.kind === "directory")) return [];
        const entry = this.#entry(status);
        const link = status.kind === "symlink" ? readLinkAt(folder, name) : undefined;
        const linkTarget = typeof link === "object" ? { linkTarget: link } : {};
        const xattrs = this.#keepMode && status.kind !== "symlink" ? xattrsOf(folder, name) : [];
        return [{ name, entry: { ...entry, ...linkTarget, xattrs }, ...at }];
      });
  }

  #leavesOut(path: string, below: string, isFolder: boolean): boolean {
    const out = (rules: IgnoreRules, at: string) => (isFolder ? rules.prunes(at) : rules.ignores(at));
    return out(this.#ignore, path) || out(this.#exclude, below);
  }

  /** Whether `--exclude` names a source that is a file itself. */
  excludes(name: string): boolean {
    return this.#exclude.ignores(name);
  }

  #entry(status: FileStatus): SourceEntry {
    const { kind, size, major, minor } = status;
    const common = { kind, size: kind === "file" ? size : 0, major, minor, xattrs: [] };
    if (this.#keepMode) return { ...common, mode: status.mode, uid: status.uid, gid: status.gid };
    // The checkout's umask is no input: only whether the owner may execute it.
    const mode = kind === "directory" || (kind === "file" && (status.mode & 0o100) !== 0) ? 0o755 : 0o644;
    return { ...common, mode: kind === "symlink" ? 0o777 : mode, uid: 0, gid: 0 };
  }

  /** Opens a child that is a file or a folder, never following it. */
  openChild(folder: number, name: Uint8Array, isFolder: boolean): ReturnType<typeof owned> {
    const flags = openFlags.noFollow | (isFolder ? openFlags.directory : openFlags.read | openFlags.nonBlock);
    return owned(must(openAt(folder, name, flags), { doing: "read the source", on: Buffer.from(name).toString() }));
  }
}

/** Those that belong into a layer. */
function xattrsOf(folder: number, name: Uint8Array | string): (readonly [string, Uint8Array])[] {
  const names = listXattrsAt(folder, name);
  if (typeof names === "number") return [];
  return names
    .filter(
      (xattr) => xattr === "security.capability" || xattr.startsWith("user.") || xattr.startsWith("system.posix_acl_"),
    )
    .sort()
    .flatMap((xattr) => {
      const value = getXattrAt(folder, name, xattr);
      return typeof value === "number" ? [] : [[xattr, value] as const];
    });
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}/${name}`;
}

function inside(path: string): Uint8Array {
  return Buffer.from(path === "" ? "." : path, "latin1");
}

function utf8(path: string): string {
  return Buffer.from(path, "latin1").toString("utf8");
}
