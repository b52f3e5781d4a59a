import { chmodSync, chownSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mount, mountFlags, unmount } from "#base/system/mounts/mount.ts";
import type { Secret } from "./contract.ts";

/** Into a memory file system of their own: nothing of them is ever on a disk. Replaces those given before. */
export function writeSecrets(folder: string, secrets: readonly Secret[]): void {
  clearSecretsAt(folder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const flags = mountFlags.nosuid | mountFlags.nodev | mountFlags.noexec;
  mount({ source: "secrets", target: folder, type: "tmpfs", flags, data: "mode=700" });
  for (const [index, { bytes, mode, uid, gid }] of secrets.entries()) {
    const file = join(folder, String(index));
    writeFileSync(file, bytes, { mode: 0o600 });
    chownSync(file, uid, gid);
    chmodSync(file, mode);
  }
}

/** Missing is no error. */
export function clearSecretsAt(folder: string): void {
  while (unmount(folder, { lazy: true }));
  try {
    rmdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
