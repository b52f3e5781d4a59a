import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import { type Faults, noFaults } from "#base/core/faults.ts";
import type { TaskContext } from "#base/system/pool/contract.ts";
import { mediaTypes } from "#formats/oci/contract.ts";
import { createDigester } from "#formats/oci/digest.ts";
import type { Codec } from "#formats/tar/contract.ts";
import { createGzipWriter } from "#formats/tar/gzip.ts";
import { createTarWriter } from "#formats/tar/writer.ts";
import type { LayerBytes, WriteLayerArgs } from "../tasks.ts";
import { LayerRules } from "./rules.ts";
import { UpperWalk } from "./walk.ts";

/**
 * An upper as a layer in format 1, written to `output` and synced: tar, diff ID, gzip and digest in one pass.
 * Errors: "exhausted" the disk is full; "invalid" the upper holds what no layer can; "cancelled".
 */
export function writeLayerTo(args: WriteLayerArgs, context: TaskContext, faults: Faults = noFaults): LayerBytes {
  const blob = createDigester();
  const diff = createDigester();
  const fd = openSync(args.output, "w", 0o600);
  let size = 0;
  const store = (chunk: Uint8Array) => {
    blob.update(chunk);
    size += chunk.length;
    writeFully(fd, chunk, args.output);
  };
  try {
    const gzip = args.compression !== "none";
    const codec: Codec = gzip ? createGzipWriter(store) : { push: store, finish: () => undefined };
    const packed = gathering(codec);
    const tar = createTarWriter((chunk) => {
      diff.update(chunk);
      packed.push(chunk);
    });
    const walk = new UpperWalk(tar, new LayerRules(args), () => context.check());
    walk.run(args.upper, args.lowers);
    tar.finish();
    packed.finish();
    faults.at("images.write-layer.sync");
    fsyncSync(fd);
    return {
      diffId: diff.value(),
      digest: blob.value(),
      size,
      mediaType: gzip ? mediaTypes.layerGzip : mediaTypes.layer,
      entries: walk.entries,
      contentBytes: walk.contentBytes,
    };
  } finally {
    closeSync(fd);
  }
}

/** Joins small pieces: headers are 512 bytes, and each write is a system call. */
function gathering(codec: Codec): Codec {
  const buffer = new Uint8Array(256 * 1024);
  let filled = 0;
  const flush = () => {
    if (filled > 0) codec.push(buffer.subarray(0, filled));
    filled = 0;
  };
  return {
    push(chunk) {
      if (filled + chunk.length > buffer.length) flush();
      if (chunk.length >= buffer.length) {
        codec.push(chunk);
        return;
      }
      buffer.set(chunk, filled);
      filled += chunk.length;
    },
    finish() {
      flush();
      codec.finish();
    },
  };
}

function writeFully(fd: number, chunk: Uint8Array, on: string): void {
  try {
    for (let done = 0; done < chunk.length; ) done += writeSync(fd, chunk, done, chunk.length - done);
  } catch (cause) {
    const full = ["ENOSPC", "EDQUOT"].includes((cause as NodeJS.ErrnoException).code ?? "");
    throw new GantryError(full ? "exhausted" : "internal", {
      doing: "write the layer",
      on,
      because: full ? "the disk is full" : (cause as Error).message,
      ...(full ? { next: "Free some space on the data root's disk; `gantry prune` removes what nothing uses." } : {}),
      cause,
    });
  }
}
