import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { text } from "../command.ts";

export interface FreshFilesystem {
  readonly folder: string;
  /** Put before a program's words: only there is the file system seen. */
  readonly enter: readonly string[];
}

/**
 * A new ext4 on a loop device: no run inherits another's deleted trees or full journal. It is mounted inside the mount
 * namespace that `enter` leads to, so no other program's namespace can take a copy and keep it busy.
 */
export async function withFreshFilesystem<T>(
  enter: readonly string[],
  scratch: string,
  work: (filesystem: FreshFilesystem) => Promise<T>,
): Promise<T> {
  const image = join(scratch, "fresh.ext4");
  const folder = join(scratch, "fresh");
  mkdirSync(folder, { recursive: true });
  await text("truncate", "-s", "3G", image);
  await text("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", image);
  await text(...enter, "mount", "-o", "loop", image, folder);
  try {
    return await work({ folder, enter });
  } finally {
    await text(...enter, "umount", folder);
    rmSync(image, { force: true });
  }
}
