import {
  closeSync,
  existsSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import { type IgnoreRules, ignoreFileNames, parseIgnore } from "#formats/dockerfile/ignore.ts";
import { type StreamingTarWriter, tarStream } from "#formats/tar/streams.ts";
import { tarEntry } from "#formats/tar/writer.ts";
import { type ContextOptions, outsideFolder, type PackedContext } from "./contract.ts";

const pieceBytes = 256 * 1024;
const slash = Buffer.from("/");

/** Errors: "not-found" no such folder or Dockerfile; later, through the stream, whatever reading a file gives. */
export function packContext({ folder, dockerfile }: ContextOptions): PackedContext {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new GantryError("not-found", { doing: "build from", on: folder, because: "there is no such folder" });
  }
  const inside = "inside" in dockerfile ? dockerfile.inside : undefined;
  if (inside !== undefined && !existsSync(join(folder, inside))) {
    throw new GantryError("not-found", {
      doing: "build from",
      on: folder,
      because: `it holds no ${inside}`,
      next: "Name another with -f, or write one with: gantry init",
    });
  }
  const rules = ignoreRules(folder, inside ?? "Dockerfile");
  const carried =
    inside === undefined
      ? (dockerfile as { name: string; bytes: Uint8Array })
      : rules.ignores(inside)
        ? { name: inside.split("/").at(-1)!, bytes: readFileSync(join(folder, inside)) }
        : undefined;
  const stream = tarStream(async (tar) => {
    if (carried !== undefined) await addBytes(tar, `${outsideFolder}/${carried.name}`, carried.bytes);
    await addFolder(tar, folder, "", rules);
  });
  return { stream, dockerfile: carried === undefined ? inside! : `${outsideFolder}/${carried.name}` };
}

function ignoreRules(folder: string, dockerfile: string): IgnoreRules {
  const name = ignoreFileNames(dockerfile).find((candidate) => existsSync(join(folder, candidate)));
  return parseIgnore(name === undefined ? undefined : readFileSync(join(folder, name)));
}

/** Adds a file, or a folder with all it holds, under `name`. */
export async function addTree(tar: StreamingTarWriter, path: string, name: string): Promise<void> {
  const add = async (full: Buffer, own: Buffer): Promise<void> => {
    await addFile(tar, full, own);
    if (!lstatSync(full).isDirectory()) return;
    const names = (readdirSync(full, { encoding: "buffer" }) as unknown as Buffer[]).sort(Buffer.compare);
    for (const child of names) await add(Buffer.concat([full, slash, child]), Buffer.concat([own, slash, child]));
  };
  await add(Buffer.from(path), Buffer.from(name));
}

async function addBytes(tar: StreamingTarWriter, name: string, bytes: Uint8Array): Promise<void> {
  await tar.entry(tarEntry({ name: Buffer.from(name), type: "file", mode: 0o644, size: bytes.length }), bytes);
}

/** Names are Latin-1, one character a byte, so that no name is ever changed. */
async function addFolder(tar: StreamingTarWriter, root: string, below: string, rules: IgnoreRules): Promise<void> {
  const here = Buffer.from(`${root}/`);
  const folder = Buffer.concat([here, Buffer.from(below, "latin1")]);
  const names = (readdirSync(folder, { encoding: "buffer" }) as unknown as Buffer[]).sort(Buffer.compare);
  for (const name of names) {
    const latin = name.toString("latin1");
    const path = below === "" ? latin : `${below}/${latin}`;
    const shown = Buffer.from(path, "latin1").toString("utf8");
    const ignored = rules.ignores(shown);
    if (!lstatSync(Buffer.concat([here, Buffer.from(path, "latin1")])).isDirectory()) {
      if (!ignored) await addEntry(tar, here, path);
      continue;
    }
    if (ignored && rules.prunes(shown)) continue;
    if (!ignored) await addEntry(tar, here, path);
    await addFolder(tar, root, path, rules);
  }
}

async function addEntry(tar: StreamingTarWriter, root: Buffer, path: string): Promise<void> {
  const name = Buffer.from(path, "latin1");
  await addFile(tar, Buffer.concat([root, name]), name);
}

/** Adds `full` under `name`; a folder without what it holds. */
async function addFile(tar: StreamingTarWriter, full: Buffer, name: Buffer): Promise<void> {
  const status = lstatSync(full);
  const common = {
    mode: status.mode & 0o7777,
    uid: status.uid,
    gid: status.gid,
    modified: { seconds: Math.floor(status.mtimeMs / 1000), nanoseconds: 0 },
  };
  if (status.isDirectory())
    await tar.entry(tarEntry({ ...common, name: Buffer.concat([name, Buffer.from("/")]), type: "directory" }));
  else if (status.isSymbolicLink()) {
    await tar.entry(
      tarEntry({
        ...common,
        name,
        type: "symlink",
        linkName: readlinkSync(full, { encoding: "buffer" }) as unknown as Buffer,
      }),
    );
  } else if (status.isFile()) {
    await tar.entry(tarEntry({ ...common, name, type: "file", size: status.size }), exactly(full, status.size));
  } else if (!status.isSocket()) {
    throw new GantryError("unsupported", {
      doing: "send the build context",
      on: name.toString("utf8"),
      because: "it is neither a file, a folder nor a link",
      next: "Leave it out with .dockerignore.",
    });
  }
}

/** The announced number of bytes, whatever happens to the file meanwhile. Error "conflict": it became shorter. */
async function* exactly(path: Buffer, size: number): AsyncGenerator<Uint8Array> {
  const fd = openSync(path, "r");
  try {
    for (let left = size; left > 0; ) {
      const chunk = Buffer.allocUnsafe(Math.min(left, pieceBytes));
      const length = readSync(fd, chunk);
      if (length === 0) {
        throw new GantryError("conflict", {
          doing: "send the build context",
          on: path.toString("utf8"),
          because: "the file became shorter while it was read",
        });
      }
      left -= length;
      yield chunk.subarray(0, length);
    }
  } finally {
    closeSync(fd);
  }
}
