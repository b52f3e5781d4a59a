import { closeSync, openSync, readSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import { type Faults, noFaults } from "#base/core/faults.ts";
import type { TaskContext } from "#base/system/pool/contract.ts";
import type { Digest } from "#formats/oci/contract.ts";
import { createDigester, digestAlgorithm } from "#formats/oci/digest.ts";
import { createAutoDecompressor } from "#formats/tar/decompress.ts";
import { createTarReader } from "#formats/tar/reader.ts";
import type { UnpackArgs, Unpacked, UnpackProgress } from "../tasks.ts";
import { LayerExtractor } from "./extractor.ts";

const readBytes = 512 * 1024;
const progressEveryMs = 100;

/**
 * One pass over a layer's blob: hashed, decompressed, hashed, extracted (`hashedApart` leaves the first to the caller). The folder is only to be used when this
 * returns; after an error the caller removes it.
 * Errors: "corrupt" wrong digest, truncated; "invalid" unsafe; "exhausted" more than `limit` or the disk; "cancelled".
 */
export function unpackLayerInto(args: UnpackArgs, context: TaskContext, faults: Faults = noFaults): Unpacked {
  const blob = createDigester(digestAlgorithm(args.digest));
  const diff = createDigester(digestAlgorithm(args.diffId));
  using extractor = new LayerExtractor(args.target, args.parents, faults);
  const reader = createTarReader(extractor);
  // An uncompressed layer is its own diff: one hash does for both.
  const same = (args.digest as string) === (args.diffId as string);
  let made = 0;
  using decompressor = createAutoDecompressor((chunk) => {
    made += chunk.length;
    if (made > args.limit) refuseSize(args);
    if (!same) diff.update(chunk);
    reader.push(chunk);
  });
  const fd = openSync(args.blob, "r");
  let read = 0;
  try {
    const buffer = new Uint8Array(readBytes);
    let told = 0;
    for (let length = readSync(fd, buffer); length > 0; length = readSync(fd, buffer)) {
      context.check();
      const chunk = buffer.subarray(0, length);
      read += length;
      if (read > args.size) break;
      if (!args.hashedApart) blob.update(chunk);
      decompressor.push(chunk);
      const now = performance.now();
      if (now - told > progressEveryMs) {
        told = now;
        context.progress({ bytes: read, of: args.size, layer: args.digest } satisfies UnpackProgress);
      }
    }
  } finally {
    closeSync(fd);
  }
  decompressor.finish();
  reader.finish();
  if (read !== args.size) corrupt(args, `its blob has another size than ${args.size}`);
  if (!args.hashedApart) verify(args, "blob", args.digest, blob.value());
  if (!same) verify(args, "content (diff ID)", args.diffId, diff.value());
  extractor.finish();
  context.progress({ bytes: read, of: args.size, layer: args.digest } satisfies UnpackProgress);
  return { bytes: extractor.bytes, files: extractor.files, strippedXattrs: extractor.strippedXattrs };
}

function verify(args: UnpackArgs, what: string, wanted: Digest, got: Digest): void {
  if (wanted !== got) corrupt(args, `its ${what} is ${got}, not ${wanted}`);
}

function corrupt(args: UnpackArgs, because: string): never {
  throw new GantryError("corrupt", {
    doing: "unpack the layer",
    on: args.digest,
    because,
    next: "Pull the image again; if it stays so, the registry's copy is damaged.",
  });
}

function refuseSize(args: UnpackArgs): never {
  throw new GantryError("exhausted", {
    doing: "unpack the layer",
    on: args.digest,
    because: `it unpacks to more than the ${Math.floor(args.limit / 2 ** 20)} MiB that the disk has room for`,
    next: "If you trust the image, free some space with: gantry prune",
  });
}
