/** The engine's own work in `bulk` Workers. Only a Worker loads this file. */
import { closeSync, openSync } from "node:fs";
import { implement } from "#base/system/pool/contract.ts";
import { Destination, split } from "#build/destination.ts";
import { unpackArchive } from "#build/unpack-archive.ts";
import { resolutionOf } from "./kernel-mounts.ts";
import { pack } from "./pack.ts";
import { copyOwner, factsOf } from "./path-facts.ts";
import { copyFolderOwner, packTar, statPath, unpackTar } from "./tasks.ts";

export const engineImplementations = [
  implement(packTar, pack),
  implement(statPath, factsOf),
  implement(copyFolderOwner, copyOwner),
  implement(unpackTar, ({ file, root, mounts = false, path, time, keepTimes = false }, context) => {
    const fd = openSync(file, "r");
    try {
      using destination = new Destination(root, time, resolutionOf({ root, mounts }));
      const above = { mode: 0o755, uid: 0, gid: 0, xattrs: [] };
      unpackArchive(
        fd,
        "the archive",
        destination,
        split(Buffer.from(path)),
        { owner: undefined, mode: undefined, above, keepTimes },
        context,
      );
      return null;
    } finally {
      closeSync(fd);
    }
  }),
];
