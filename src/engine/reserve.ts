import { existsSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { watermark } from "./low-space.ts";

const most = 2 * 1024 * 1024;

/**
 * A file that holds a little room in the data root. On a full disk even removing needs a write in the database: then
 * this goes, and what the user removes makes room for it again.
 */
export interface Reserve {
  /** Makes it, unless it is there or the disk has no room for it. */
  keep(): void;
  /** Gives the room away; false when there was none. */
  giveAway(): boolean;
}

export function openReserve(dataRoot: string): Reserve {
  const path = join(dataRoot, "reserve");
  return {
    keep() {
      if (existsSync(path)) return;
      const { bsize, blocks, bavail } = statfsSync(dataRoot);
      const bytes = Math.min(most, Math.floor((blocks * bsize) / 40));
      if (bavail * bsize < watermark(blocks * bsize) + bytes) return;
      // Not zeros: a file system that compresses would keep no room for them.
      writeFileSync(path, crypto.getRandomValues(new Uint8Array(65536)), { mode: 0o600 });
      for (let at = 65536; at < bytes; at += 65536) {
        writeFileSync(path, crypto.getRandomValues(new Uint8Array(65536)), { flag: "a" });
      }
    },
    giveAway() {
      if (!existsSync(path)) return false;
      rmSync(path);
      return true;
    },
  };
}
