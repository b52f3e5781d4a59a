import type { OpenFile } from "#base/system/files/contract.ts";
import type { TaskContext } from "#base/system/pool/contract.ts";
import { Destination, joinNames, type Metadata, split } from "./destination.ts";
import { type SourceEntry, SourceTree } from "./source-tree.ts";
import type { CopyArgs } from "./tasks.ts";
import { isArchive, unpackArchive } from "./unpack-archive.ts";

/** See {@link CopyArgs}. */
export function copyAll(args: CopyArgs, context: TaskContext): null {
  using tree = new SourceTree(args.root, args.exclude);
  using destination = new Destination(args.target, args.layerTime);
  const paths = args.sources.flatMap((source) => tree.match(source));
  const copy = new Copy(args, tree, destination, context);
  const asFolder = args.destination.endsWith("/") || paths.length > 1;
  for (const path of paths) copy.one(path, asFolder);
  return null;
}

class Copy {
  readonly #args: CopyArgs;
  readonly #tree: SourceTree;
  readonly #destination: Destination;
  readonly #context: TaskContext;
  readonly #target: Uint8Array[];
  readonly #above: Metadata;

  constructor(args: CopyArgs, tree: SourceTree, destination: Destination, context: TaskContext) {
    this.#args = args;
    this.#tree = tree;
    this.#destination = destination;
    this.#context = context;
    this.#target = split(Buffer.from(args.destination));
    this.#above = { mode: 0o755, uid: args.owner?.uid ?? 0, gid: args.owner?.gid ?? 0, xattrs: [] };
  }

  one(path: Uint8Array, asFolder: boolean): void {
    using top = this.#tree.open(path);
    const shown = Buffer.from(path).toString("utf8");
    if (top.entry.kind === "directory") {
      this.#folder(top.fd, top.entry, this.#target, shown, "");
      return;
    }
    const name = split(path).at(-1) ?? Buffer.from("file");
    if (this.#tree.excludes(Buffer.from(name).toString("utf8"))) return;
    if (this.#args.unpack && top.entry.kind === "file" && isArchive(top.fd)) {
      const options = { owner: this.#args.owner, mode: this.#args.mode, above: this.#above };
      unpackArchive(top.fd, shown, this.#destination, this.#target, options, this.#context);
      return;
    }
    const into = asFolder || this.#destination.isFolder(joinNames(this.#target));
    const names = into ? [...this.#target, name] : this.#target;
    using folder = this.#destination.folder(joinNames(names.slice(0, -1)), this.#above, this.#above);
    this.#entry(folder, names.at(-1) ?? name, top.entry, top.fd);
  }

  #folder(fd: number, entry: SourceEntry, target: readonly Uint8Array[], path: string, below: string): void {
    this.#context.check();
    using folder = this.#destination.folder(joinNames(target), this.#metadata(entry), this.#above);
    for (const child of this.#tree.children(fd, path, below)) {
      if (child.entry.kind === "directory") {
        using inner = this.#tree.openChild(fd, child.name, true);
        this.#folder(inner.fd, child.entry, [...target, child.name], child.path, child.below);
      } else if (child.entry.kind === "file") {
        using file = this.#tree.openChild(fd, child.name, false);
        this.#entry(folder, child.name, child.entry, file.fd);
      } else this.#entry(folder, child.name, child.entry, -1);
    }
  }

  #entry(folder: OpenFile, name: Uint8Array, entry: SourceEntry, fd: number): void {
    const metadata = this.#metadata(entry);
    if (entry.kind === "file") this.#destination.copyFile(folder, name, metadata, fd);
    else if (entry.kind === "symlink") {
      this.#destination.symlink(folder, name, entry.linkTarget ?? new Uint8Array(), metadata);
    } else if (entry.kind === "character" || entry.kind === "block" || entry.kind === "fifo") {
      this.#destination.node(folder, name, entry.kind, entry, metadata);
    }
  }

  #metadata({ mode, uid, gid, xattrs }: SourceEntry): Metadata {
    const { owner } = this.#args;
    return { mode: this.#args.mode ?? mode, uid: owner?.uid ?? uid, gid: owner?.gid ?? gid, xattrs };
  }
}
