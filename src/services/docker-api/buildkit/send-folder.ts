import { constants } from "node:fs";
import { lstat, open, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { GantryError } from "#base/core/errors.ts";
import { goModeOf } from "./file-modes.ts";
import { Outbox } from "./outbox.ts";
import { FileSend, type Packet, PacketSchema } from "./protos/session.gen.ts";
import { outputHeader, type SendTarget } from "./send-tar.ts";
import { packetKinds } from "./sync-entry.ts";

/** The same call carries packets when the client's output is a folder. */
const method = { ...FileSend.method.diffCopy, input: PacketSchema, output: PacketSchema } as const;

type Out = Outbox<MessageInitShape<typeof PacketSchema>>;

const pieceBytes = 64 * 1024;
/** Pieces that wait to go out, at most. */
const piecesAhead = 32;

/** Sends a folder's files as the client's own folders come: what there is, then the bytes it asks for. */
export async function sendFolder(root: string, { session, index, signal, onBytes }: SendTarget): Promise<void> {
  const out: Out = new Outbox();
  const header = { [outputHeader]: String(index) };
  const files = new Map<number, string>();
  // The client answers nothing before it is told something.
  const announcing = announce(root, out, files, signal);
  try {
    const { message: answers } = await session.transport.stream(
      method as never,
      signal,
      undefined,
      header,
      out as AsyncIterable<never>,
    );
    for await (const { type, id, data } of answers as AsyncIterable<Packet>) {
      if (type === packetKinds.error) throw refused(Buffer.from(data).toString());
      if (type === packetKinds.end) break;
      if (type !== packetKinds.request) continue;
      const path = files.get(id);
      if (path === undefined) throw refused(`it asked for file ${id}, which it was not told of`);
      await sendFile(join(root, path), id, out, onBytes, signal);
    }
    await announcing;
    out.send({ type: packetKinds.end });
  } finally {
    out.end();
    await Promise.allSettled([announcing]);
  }
}

async function announce(root: string, out: Out, files: Map<number, string>, signal: AbortSignal): Promise<void> {
  let count = 0;
  const walk = async (below: string): Promise<void> => {
    signal.throwIfAborted();
    for (const name of (await readdir(join(root, below))).sort(byBytes)) {
      const path = below === "" ? name : `${below}/${name}`;
      const { mode, uid, gid, size, mtimeMs, rdev } = await lstat(join(root, path));
      const goMode = goModeOf(mode);
      if (goMode === undefined) continue;
      const isLink = (mode & constants.S_IFMT) === constants.S_IFLNK;
      const isFile = (mode & constants.S_IFMT) === constants.S_IFREG;
      if (isFile) files.set(count, path);
      count += 1;
      const linkname = isLink ? await readlink(join(root, path)) : "";
      const modTime = BigInt(Math.floor(mtimeMs)) * 1_000_000n;
      const device = goMode >= 2 ** 26 && goMode < 2 ** 27 ? deviceOf(rdev) : {};
      const stat = { ...device, path, mode: goMode, uid, gid, size: BigInt(isFile ? size : 0), modTime, linkname };
      await out.roomFor(piecesAhead);
      out.send({ type: packetKinds.stat, stat });
      if ((mode & constants.S_IFMT) === constants.S_IFDIR) await walk(path);
    }
  };
  await walk("");
  out.send({ type: packetKinds.stat });
}

async function sendFile(
  path: string,
  id: number,
  out: Out,
  onBytes: (bytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  for (;;) {
    signal.throwIfAborted();
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(pieceBytes), 0, pieceBytes);
    if (bytesRead === 0) break;
    await out.roomFor(piecesAhead);
    out.send({ type: packetKinds.data, id, data: buffer.subarray(0, bytesRead) });
    onBytes(bytesRead);
  }
  out.send({ type: packetKinds.data, id });
}

function deviceOf(rdev: number): { devmajor: bigint; devminor: bigint } {
  return { devmajor: BigInt((rdev >> 8) & 0xfff), devminor: BigInt((rdev & 0xff) | ((rdev >> 12) & 0xfff00)) };
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function refused(because: string): GantryError {
  return new GantryError("invalid", { doing: "send the build's files to the client", because });
}
