import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import type { FolderFile } from "#tools/init/contract.ts";

/** Bounds for a folder that turns out to be a home folder or a data disk. */
const mostFiles = 2000;
const mostDepth = 4;
const headBytes = 16 * 1024;
/** What tools made; it would only hide what somebody wrote. */
const skipped = new Set(["node_modules", "__pycache__", "venv", "target", "renv", "dist"]);

/** What init looks at: names, whether they run, and how they begin. Breadth first, so that the top is never cut. */
export function readFolder(folder: string): FolderFile[] {
  const files: FolderFile[] = [];
  let level = [""];
  for (let depth = 0; depth < mostDepth && level.length > 0; depth++) {
    const deeper: string[] = [];
    for (const below of level) {
      for (const entry of list(join(folder, below))) {
        const path = below === "" ? entry.name : `${below}/${entry.name}`;
        if (entry.isDirectory()) {
          if (!entry.name.startsWith(".") && !skipped.has(entry.name)) deeper.push(path);
        } else if (entry.isFile()) {
          const file = describeFile(folder, path);
          if (file !== undefined) files.push(file);
        }
        if (files.length >= mostFiles) return files;
      }
    }
    level = deeper;
  }
  return files;
}

function list(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    // A folder that may not be read cannot be copied into an image either; the build says so.
    return [];
  }
}

function describeFile(folder: string, path: string): FolderFile | undefined {
  const file = join(folder, path);
  try {
    const executable = (statSync(file).mode & 0o111) !== 0;
    const fd = openSync(file, "r");
    try {
      const bytes = Buffer.alloc(headBytes);
      const head = bytes.subarray(0, readSync(fd, bytes, 0, headBytes, 0));
      return { path, executable, head: head.includes(0) ? "" : head.toString("utf8") };
    } finally {
      closeSync(fd);
    }
  } catch {
    // As with folders: what may not be read is not looked at.
    return undefined;
  }
}
