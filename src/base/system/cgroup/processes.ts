import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type CgroupLayout, cgroupLayout } from "./layout.ts";
import { pathOfV1, pathOfV2 } from "./own-path.ts";

/** Every process in the cgroup of `pid` and in those below it. Empty when it has ended. */
export function cgroupProcesses(pid: number, layout: CgroupLayout = cgroupLayout()): ReadonlySet<number> {
  const found = new Set<number>();
  const folder = folderOf(pid, layout);
  if (folder !== undefined) collect(folder, found);
  return found;
}

function folderOf(pid: number, layout: CgroupLayout): string | undefined {
  const own = quietly(() => readFileSync(`/proc/${pid}/cgroup`, "utf8"), "");
  if (own === "" || layout.version === "none") return undefined;
  if (layout.version === "v2") return join(layout.root, pathOfV2(own));
  // Every container has one in each; the freezer's is nobody else's.
  const root = layout.controllers.get("freezer") ?? layout.controllers.get("pids");
  const name = layout.controllers.has("freezer") ? "freezer" : "pids";
  return root === undefined ? undefined : join(root, pathOfV1(own, name));
}

function collect(folder: string, found: Set<number>): void {
  const text = quietly(() => readFileSync(join(folder, "cgroup.procs"), "utf8"), "");
  for (const line of text.split("\n")) if (line !== "") found.add(Number(line));
  for (const entry of quietly(() => readdirSync(folder, { withFileTypes: true }), [])) {
    if (entry.isDirectory()) collect(join(folder, entry.name), found);
  }
}

function quietly<T>(read: () => T, nothing: T): T {
  try {
    return read();
  } catch {
    return nothing; // It ended meanwhile.
  }
}
