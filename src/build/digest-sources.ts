import { readSync } from "node:fs";
import type { TaskContext } from "#base/system/pool/contract.ts";
import { type SourceEntry, SourceTree } from "./source-tree.ts";
import type { DigestArgs, DigestedSources } from "./tasks.ts";

const piece = Buffer.allocUnsafe(1024 * 1024);

/** One digest over everything the sources hold, names included. */
export function digestOfSources({ root, sources, exclude }: DigestArgs, context: TaskContext): DigestedSources {
  using tree = new SourceTree(root, exclude);
  const hasher = new Bun.CryptoHasher("sha256");
  const matches: { source: string; paths: string[] }[] = [];
  for (const source of sources) {
    const paths = tree.match(source);
    matches.push({ source, paths: paths.map((path) => Buffer.from(path).toString("utf8")) });
    for (const path of paths) {
      using top = tree.open(path);
      const name = Buffer.from(path);
      addEntry(hasher, name.subarray(name.lastIndexOf("/") + 1), top.entry);
      if (top.entry.kind === "file") addContent(hasher, top.fd);
      if (top.entry.kind === "directory") addFolder(hasher, tree, top.fd, name.toString("utf8"), "", context);
    }
    hasher.update("\0end of source\0");
  }
  return { digest: `sha256:${hasher.digest("hex")}`, matches };
}

function addFolder(
  hasher: Bun.CryptoHasher,
  tree: SourceTree,
  folder: number,
  path: string,
  below: string,
  context: TaskContext,
): void {
  context.check();
  for (const child of tree.children(folder, path, below)) {
    addEntry(hasher, child.name, child.entry);
    const isFolder = child.entry.kind === "directory";
    if (!isFolder && child.entry.kind !== "file") continue;
    using file = tree.openChild(folder, child.name, isFolder);
    if (isFolder) addFolder(hasher, tree, file.fd, child.path, child.below, context);
    else addContent(hasher, file.fd);
  }
  hasher.update("\0up\0");
}

/** Lengths stand before names, so that no two trees can be written alike. */
function addEntry(hasher: Bun.CryptoHasher, name: Uint8Array, entry: SourceEntry): void {
  const { kind, mode, uid, gid, size, major, minor } = entry;
  const link = entry.linkTarget ?? new Uint8Array();
  hasher.update(
    JSON.stringify([name.length, kind, mode, uid, gid, size, major, minor, link.length, entry.xattrs.length]),
  );
  hasher.update(name);
  hasher.update(link);
  for (const [xattr, value] of entry.xattrs) {
    hasher.update(JSON.stringify([xattr, value.length]));
    hasher.update(value);
  }
}

function addContent(hasher: Bun.CryptoHasher, fd: number): void {
  for (;;) {
    const length = readSync(fd, piece, 0, piece.length, null);
    if (length === 0) return;
    hasher.update(piece.subarray(0, length));
  }
}
