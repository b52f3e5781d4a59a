import { createWriteStream, renameSync, rmSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { GantryError, isKind } from "#base/core/errors.ts";

/** Under another name until it is whole: half an archive must not look like one. */
export async function writeFile(stream: ReadableStream<Uint8Array>, file: string, doing: string): Promise<void> {
  const part = `${file}.part`;
  try {
    await pipeline(stream as AsyncIterable<Uint8Array>, createWriteStream(part));
    renameSync(part, file);
  } catch (cause) {
    rmSync(part, { force: true });
    if (isKind(cause)) throw cause;
    throw new GantryError("unavailable", {
      doing,
      on: file,
      because: `the file cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    });
  }
}
