import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { text } from "../command.ts";
import type { Undo } from "../contract.ts";

/** A new ext4 on a loop device: no run inherits another's deleted trees or full journal. */
export async function withFreshFilesystem<T>(
  undo: Undo,
  scratch: string,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const image = join(scratch, "fresh.ext4");
  const folder = join(scratch, "fresh");
  mkdirSync(folder, { recursive: true });
  await text("truncate", "-s", "3G", image);
  await text("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", image);
  await text("mount", "-o", "loop", image, folder);
  const close = undo.add("a file system on a loop device", async () => {
    await text("umount", folder);
    rmSync(image, { force: true });
  });
  try {
    return await work(folder);
  } finally {
    await close();
  }
}
