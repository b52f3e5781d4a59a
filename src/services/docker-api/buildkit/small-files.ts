import { posix } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import type { Session } from "./contract.ts";
import { syncFolder } from "./filesync.ts";

const limit = 10 * 1024 * 1024;
/** Links that lead to links, at most. */
const hops = 16;

/** A few small files of one of the client's folders, by name; a link is followed to the file that came with it. */
export async function readFiles(
  session: Session,
  folder: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<(name: string) => Uint8Array | undefined> {
  const files = new Map<string, Uint8Array>();
  const links = new Map<string, string>();
  let left = limit;
  await syncFolder(session, { folder, only: names, signal }, async (entry, content) => {
    const name = Buffer.from(entry.name).toString();
    if (entry.type === "symlink") links.set(name, Buffer.from(entry.linkName).toString());
    if (entry.type === "hardlink") {
      const bytes = files.get(Buffer.from(entry.linkName).toString());
      if (bytes !== undefined) files.set(name, bytes);
    }
    if (entry.type !== "file" || content === undefined) return;
    left -= entry.size;
    if (left < 0) {
      throw new GantryError("invalid", { doing: "read", on: name, because: `it is over ${limit} bytes` });
    }
    files.set(name, content instanceof Uint8Array ? content : await whole(content));
  });
  return (name) => {
    let path = posix.normalize(name);
    for (let hop = 0; hop < hops; hop += 1) {
      const link = links.get(path);
      if (link === undefined) return files.get(path);
      // As if the folder were "/".
      path = posix.resolve("/", posix.dirname(path), link).slice(1);
    }
    return undefined;
  };
}

async function whole(content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of content) pieces.push(piece);
  return Buffer.concat(pieces);
}
