import { createWriteStream, mkdirSync, readFileSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Clock } from "#base/core/clock.ts";
import { GantryError, isKind } from "#base/core/errors.ts";
import type { Random } from "#base/core/random.ts";
import { openFlags, openFolder, openInside, owned } from "#base/system/files/open.ts";
import { errnoName, must } from "#base/system/libc/errno.ts";
import type { WorkerPool } from "#base/system/pool/contract.ts";
import { outsideFolder } from "#formats/dockerfile/outside.ts";
import { removeTrees } from "#images/store/tasks.ts";
import type { ReceivedContext } from "./contract.ts";
import { unpackTar } from "./copy/tasks.ts";

const dockerfileLimit = 10 * 1024 * 1024;

export interface Reception {
  /** A private folder of the data root; emptied when the engine starts. */
  readonly folder: string;
  readonly bulk: WorkerPool;
  readonly clock: Clock;
  readonly random: Random;
}

/** Writes a stream to a file of its own, as fast as the disk takes it. */
export async function spool(body: AsyncIterable<Uint8Array>, file: string, signal: AbortSignal): Promise<void> {
  try {
    await pipeline(body, createWriteStream(file, { mode: 0o600 }), { signal });
  } catch (cause) {
    signal.throwIfAborted();
    if ((cause as NodeJS.ErrnoException).code !== "ENOSPC") throw cause;
    throw new GantryError("exhausted", {
      doing: "keep what is sent at",
      on: file,
      because: "the disk is full",
      next: "Free some space with: gantry prune",
      cause,
    });
  }
  // A client that leaves may look like the end of its stream.
  signal.throwIfAborted();
}

export async function receiveContext(
  reception: Reception,
  body: AsyncIterable<Uint8Array>,
  dockerfile: string,
  signal: AbortSignal,
): Promise<ReceivedContext> {
  // A Worker takes some 20 ms to start: it does so while the context comes.
  reception.bulk.warm();
  const folder = join(reception.folder, reception.random.hex(8));
  const files = join(folder, "context");
  mkdirSync(files, { recursive: true, mode: 0o700 });
  // In a Worker: a context may hold many thousand files.
  const remove = async () => void (await reception.bulk.run(removeTrees, { paths: [folder] }));
  try {
    const tar = join(folder, "context.tar");
    await spool(body, tar, signal);
    await reception.bulk.run(
      unpackTar,
      { file: tar, root: files, path: "/", time: Math.floor(reception.clock.now() / 1000) },
      { signal },
    );
    await rm(tar);
    const bytes = readInside(files, dockerfile);
    if (bytes === undefined) {
      throw new GantryError("not-found", {
        doing: "build",
        on: dockerfile,
        because: "the build context holds no such Dockerfile",
        next: "Name it with -f, or write one with: gantry init",
      });
    }
    const ignore = readInside(files, `${dockerfile}.dockerignore`);
    // No part of the context: COPY must not see it.
    rmSync(join(files, outsideFolder), { recursive: true, force: true });
    return {
      folder: files,
      dockerfile: { name: dockerfile.replace(`${outsideFolder}/`, ""), bytes },
      ...(ignore === undefined ? {} : { ignore }),
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** A file below the context's root, links resolved inside it. Undefined when missing. */
function readInside(root: string, path: string): Uint8Array | undefined {
  using top = openFolder(root);
  const opened = openInside(top.fd, path, "in-root", openFlags.read | openFlags.nonBlock);
  if (opened < 0 && ["ENOENT", "ENOTDIR"].includes(errnoName(opened))) return undefined;
  using file = owned(must(opened, { doing: "read from the build context", on: path }));
  try {
    const bytes = readFileSync(file.fd);
    if (bytes.length <= dockerfileLimit) return bytes;
  } catch (error) {
    if (isKind(error) || (error as NodeJS.ErrnoException).code !== "EISDIR") throw error;
  }
  throw new GantryError("invalid", {
    doing: "read from the build context",
    on: path,
    because: `it is a folder, or over ${dockerfileLimit} bytes`,
  });
}
