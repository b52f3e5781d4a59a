/** What the store's tasks do. Loaded by the bulk Worker's entry file only, and by tests that run tasks in line. */
import { closeSync, openSync, readSync } from "node:fs";
import type { Faults } from "#base/core/faults.ts";
import type { FileStatus } from "#base/system/files/contract.ts";
import { listFolder } from "#base/system/files/list.ts";
import { openAt, openFlags, openFolder, owned } from "#base/system/files/open.ts";
import { removeTree } from "#base/system/files/remove-tree.ts";
import { statAt } from "#base/system/files/status.ts";
import { syncFileSystem } from "#base/system/files/sync.ts";
import { type Implementation, implement, type TaskContext } from "#base/system/pool/contract.ts";
import { createDigester } from "#formats/oci/digest.ts";
import { repack } from "./layer/repack.ts";
import { unpackLayerInto } from "./layer/unpack.ts";
import { writeLayerTo } from "./layer/write.ts";
import { hashFile, measureTree, removeTrees, repackLayer, syncTree, unpackLayer, writeLayer } from "./tasks.ts";

export function storeTasks(faults?: Faults): Implementation[] {
  return [
    implement(unpackLayer, (args, context) => unpackLayerInto(args, context, faults)),
    implement(writeLayer, (args, context) => writeLayerTo(args, context, faults)),
    implement(repackLayer, (args, context) => repack(args, context)),
    implement(hashFile, (args, context) => hash(args.path, args.algorithm, context)),
    implement(removeTrees, ({ paths }, context) => {
      let removed = 0;
      for (const path of paths) {
        context.check();
        removed += removeTree(path);
      }
      return { removed };
    }),
    implement(measureTree, ({ path }, context) => {
      const sum = { bytes: 0, files: 0 };
      using folder = openFolder(path);
      measure(folder.fd, sum, context);
      return sum;
    }),
    implement(syncTree, ({ path }) => {
      syncFileSystem(path);
      return null;
    }),
  ];
}

function hash(path: string, algorithm: "sha256" | "sha512", context: TaskContext) {
  const digester = createDigester(algorithm);
  const buffer = new Uint8Array(1024 * 1024);
  const fd = openSync(path, "r");
  let size = 0;
  try {
    for (let length = readSync(fd, buffer); length > 0; length = readSync(fd, buffer)) {
      context.check();
      digester.update(buffer.subarray(0, length));
      size += length;
    }
  } finally {
    closeSync(fd);
  }
  return { digest: digester.value(), size };
}

function measure(folder: number, sum: { bytes: number; files: number }, context: TaskContext): void {
  context.check();
  for (const { name } of listFolder(folder)) {
    const status = statAt(folder, name) as FileStatus | undefined | number;
    if (typeof status !== "object") continue;
    sum.files += 1;
    if (status.kind === "file") sum.bytes += status.size;
    if (status.kind !== "directory") continue;
    const opened = openAt(folder, name, openFlags.directory | openFlags.noFollow);
    if (opened < 0) continue;
    using inner = owned(opened);
    measure(inner.fd, sum, context);
  }
}
