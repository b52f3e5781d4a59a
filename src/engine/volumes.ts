import { lookup } from "node:dns/promises";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "#base/core/clock.ts";
import type { Faults } from "#base/core/faults.ts";
import type { Random } from "#base/core/random.ts";
import type { Database } from "#base/system/database/contract.ts";
import { isMountPoint, mountNamed, unmountNamed } from "#base/system/mounts/mount-program.ts";
import type { WorkerPool } from "#base/system/pool/contract.ts";
import { copySources } from "#build/tasks.ts";
import type { Volumes } from "#containers/volume/contract.ts";
import { clearUnnamedVolumes, openVolumes } from "#containers/volume/volumes.ts";
import { measureTree, removeTrees } from "#images/store/tasks.ts";
import { copyFolderOwner } from "./copy/tasks.ts";

export interface VolumeParts {
  readonly dataRoot: string;
  readonly database: Database;
  readonly bulk: WorkerPool;
  readonly clock: Clock;
  readonly random: Random;
  readonly faults: Faults;
}

/** The volumes of a data root, over mount(8) and bulk Workers; folders that a crash left without a name are gone. */
export function engineVolumes({ dataRoot, bulk, ...parts }: VolumeParts): Volumes {
  const folder = join(dataRoot, "volumes");
  const volumes = openVolumes({
    ...parts,
    folder,
    mounter: {
      mount: mountNamed,
      unmount: unmountNamed,
      isMounted: isMountPoint,
      address: async (name) => (await lookup(name)).address,
    },
    files: {
      remove: async (path) => void (await bulk.run(removeTrees, { paths: [path] })),
      measure: async (path) => (await bulk.run(measureTree, { path })).bytes,
      async fill(rootfs, target, volume) {
        if (!(await bulk.run(copyFolderOwner, { root: rootfs, path: target, to: volume }))) return;
        await bulk.run(copySources, {
          root: { folder: rootfs, keepMode: true },
          sources: [target],
          exclude: [],
          target: volume,
          destination: "/",
          layerTime: Math.floor(parts.clock.now() / 1000),
          unpack: false,
        });
      },
    },
  });
  clearUnnamedVolumes(folder, volumes, readdirSync(folder));
  return volumes;
}
