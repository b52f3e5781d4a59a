import { closeSync, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import type { TaskContext } from "#base/system/pool/contract.ts";
import { mediaTypes } from "#formats/oci/contract.ts";
import { createDigester } from "#formats/oci/digest.ts";
import { createAutoDecompressor } from "#formats/tar/decompress.ts";
import { createGzipWriter } from "#formats/tar/gzip.ts";
import { createTarReader } from "#formats/tar/reader.ts";
import type { LayerBytes } from "../tasks.ts";

/** The same tar bytes under format 1's gzip; read as a tar on the way, so that no other file becomes a layer. */
export function repack(args: { input: string; output: string }, context: TaskContext): LayerBytes {
  const blob = createDigester();
  const diff = createDigester();
  let size = 0;
  let entries = 0;
  let contentBytes = 0;
  const input = openSync(args.input, "r");
  const output = openSync(args.output, "w", 0o600);
  try {
    const gzip = createGzipWriter((chunk) => {
      blob.update(chunk);
      size += chunk.length;
      for (let done = 0; done < chunk.length; ) done += writeSync(output, chunk, done, chunk.length - done);
    });
    const reader = createTarReader({
      entry: () => {
        entries += 1;
      },
      data: (chunk) => {
        contentBytes += chunk.length;
      },
      end: () => undefined,
    });
    using decompressor = createAutoDecompressor((chunk) => {
      reader.push(chunk);
      diff.update(chunk);
      gzip.push(chunk);
    });
    const buffer = new Uint8Array(512 * 1024);
    for (let length = readSync(input, buffer); length > 0; length = readSync(input, buffer)) {
      context.check();
      decompressor.push(buffer.subarray(0, length));
    }
    decompressor.finish();
    reader.finish();
    gzip.finish();
    fsyncSync(output);
  } finally {
    closeSync(input);
    closeSync(output);
  }
  return { diffId: diff.value(), digest: blob.value(), size, mediaType: mediaTypes.layerGzip, entries, contentBytes };
}
