import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import { readLinkAt } from "#base/system/files/change.ts";
import type { FileStatus } from "#base/system/files/contract.ts";
import { listFolder } from "#base/system/files/list.ts";
import { openAt, openFlags, openFolder, openInside, owned } from "#base/system/files/open.ts";
import { statAt, statFd } from "#base/system/files/status.ts";
import { getXattrAt, listXattrsAt } from "#base/system/files/xattr.ts";
import { must } from "#base/system/libc/errno.ts";
import type { TaskContext } from "#base/system/pool/contract.ts";
import type { TarEntry, TarWriter } from "#formats/tar/contract.ts";
import { createTarWriter } from "#formats/tar/writer.ts";
import { isKernelMount, resolutionOf } from "./kernel-mounts.ts";
import { lastStep } from "./path-facts.ts";
import type { PackTarArgs } from "./tasks.ts";

const empty = new Uint8Array();
const piece = Buffer.allocUnsafe(1024 * 1024);
const slash = Buffer.from("/");

/** See {@link PackTarArgs}. Every folder is entered by descriptor: a link swapped in meanwhile is packed as a link. */
export function pack(args: PackTarArgs, context: TaskContext): null {
  const out = openSync(args.file, "w", 0o600);
  try {
    const tar = createTarWriter((chunk) => {
      for (let at = 0; at < chunk.length; ) at += writeSync(out, chunk, at);
    });
    using root = openFolder(args.root);
    const { above, name } = lastStep(args.path);
    using folder = owned(must(openInside(root.fd, above, resolutionOf(args), openFlags.directory), missing(args.path)));
    if (isKernelMount(folder.fd)) throw kernelsOwn(args.path);
    new Packing(tar, context).entry(folder.fd, Buffer.from(name), Buffer.from(args.name));
    tar.finish();
    return null;
  } finally {
    closeSync(out);
  }
}

function missing(path: string): { doing: string; on: string; because: string } {
  return { doing: "copy from the container", on: path, because: "there is no such file or folder" };
}

function kernelsOwn(on: string): GantryError {
  return new GantryError("unsupported", {
    doing: "copy from the container",
    on,
    because: "that file system is the kernel's own",
    next: "Read it with: gantry exec",
  });
}

class Packing {
  readonly #tar: TarWriter;
  readonly #context: TaskContext;
  /** First name of every file with several, by device and inode. */
  readonly #links = new Map<string, Uint8Array>();

  constructor(tar: TarWriter, context: TaskContext) {
    this.#tar = tar;
    this.#context = context;
  }

  entry(folder: number, own: Uint8Array, name: Uint8Array): void {
    this.#context.check();
    const found = statAt(folder, own);
    if (typeof found === "number" || found === undefined) {
      throw new GantryError("not-found", missing(Buffer.from(name).toString("utf8")));
    }
    // A socket has no form in a tar.
    if (found.kind === "socket") return;
    if (found.kind === "directory") this.#folder(folder, own, name, found);
    else if (found.kind === "file") this.#file(folder, own, name, found);
    else this.#tar.entry(this.#describe(folder, own, name, found));
  }

  #folder(folder: number, own: Uint8Array, name: Uint8Array, status: FileStatus): void {
    if (name.length > 0) this.#tar.entry(this.#describe(folder, own, Buffer.concat([name, slash]), status));
    using inner = owned(
      must(openAt(folder, own, openFlags.directory | openFlags.noFollow), missing(Buffer.from(name).toString())),
    );
    // Its files are no data, and some have no end.
    if (isKernelMount(inner.fd)) return;
    const children = listFolder(inner.fd).sort((a, b) => Buffer.compare(a.name, b.name));
    for (const child of children) {
      this.entry(inner.fd, child.name, name.length === 0 ? child.name : Buffer.concat([name, slash, child.name]));
    }
  }

  #file(folder: number, own: Uint8Array, name: Uint8Array, status: FileStatus): void {
    const key = `${status.device} ${status.inode}`;
    const first = status.links > 1 ? this.#links.get(key) : undefined;
    if (first !== undefined) {
      this.#tar.entry({ ...this.#describe(folder, own, name, status), type: "hardlink", size: 0, linkName: first });
      return;
    }
    if (status.links > 1) this.#links.set(key, name);
    using file = owned(
      must(
        openAt(folder, own, openFlags.read | openFlags.noFollow | openFlags.nonBlock),
        missing(Buffer.from(name).toString()),
      ),
    );
    const opened = statFd(file.fd);
    // Swapped for something else since it was listed: what was opened decides.
    if (typeof opened === "number" || opened.kind !== "file") return;
    this.#tar.entry({ ...this.#describe(folder, own, name, opened), size: opened.size });
    let left = opened.size;
    while (left > 0) {
      const length = readSync(file.fd, piece, 0, Math.min(piece.length, left), null);
      // It shrank while it was read: the archive keeps its announced size.
      const chunk = length === 0 ? Buffer.alloc(Math.min(piece.length, left)) : piece.subarray(0, length);
      this.#tar.data(chunk);
      left -= chunk.length;
    }
  }

  #describe(folder: number, own: Uint8Array, name: Uint8Array, status: FileStatus): TarEntry {
    const link = status.kind === "symlink" ? readLinkAt(folder, own) : empty;
    if (status.kind === "socket")
      throw new GantryError("unsupported", { doing: "pack", because: "a socket has no form in a tar" });
    return {
      name,
      type: status.kind,
      mode: status.mode,
      uid: status.uid,
      gid: status.gid,
      size: 0,
      modified: status.modified,
      linkName: typeof link === "number" ? empty : link,
      userName: empty,
      groupName: empty,
      major: status.major,
      minor: status.minor,
      xattrs: xattrsOf(folder, own, status),
    };
  }
}

/** Capabilities and users' own attributes; the host's labels and overlay's marks stay here. */
function xattrsOf(folder: number, own: Uint8Array, status: FileStatus): ReadonlyMap<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  if (status.kind !== "file" && status.kind !== "directory") return found;
  const names = listXattrsAt(folder, own);
  if (typeof names === "number") return found;
  for (const name of names.sort()) {
    if (name !== "security.capability" && !/^user\.(?!overlay\.)/.test(name)) continue;
    const value = getXattrAt(folder, own, name);
    if (typeof value !== "number") found.set(name, value);
  }
  return found;
}
