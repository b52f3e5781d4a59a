import { renameSync, rmSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { folders, type StoreContext } from "./context.ts";

/** Freeing this many bytes takes some 3 ms, freeing 500 MB took 200 to 400. */
const quick = 8 * 1024 * 1024;
const prefix = "gone-";

/**
 * Removes a file below the data root; missing is no error. A big one only changes its name here, so that another can
 * take its place at once, and is freed off the event loop; after a crash `openStore` does it.
 */
export function dropFile(context: StoreContext, path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) return;
  if (size <= quick) {
    rmSync(path, { force: true });
    return;
  }
  const gone = folders.ingest(context.root, `${prefix}${context.random.hex(12)}`);
  renameSync(path, gone);
  context.background.add(rm(gone, { force: true }));
}

/** Of a name in ingest/: whether {@link dropFile} gave it. */
export function isDropped(id: string): boolean {
  return id.startsWith(prefix);
}
