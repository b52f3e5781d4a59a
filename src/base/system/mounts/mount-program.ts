import { GantryError } from "#base/core/errors.ts";
import { installedProgram } from "#base/system/process/installed.ts";
import { readMountTable } from "./table.ts";

export interface NamedMount {
  readonly type: string;
  /** A device, a share or a folder, as the type wants it. */
  readonly source: string;
  readonly target: string;
  /** Options of mount(8), joined by commas. */
  readonly options: string;
}

/** A server that does not answer holds a mount for minutes; nobody waits so long for a container. */
const patience = 30_000;

/**
 * Mounts by mount(8): it knows every type's helper, and as a process of its own a server that hangs holds no Worker.
 * Errors: "invalid" with mount's own words, "unavailable" when it took too long.
 */
export async function mountNamed({ type, source, target, options }: NamedMount): Promise<void> {
  const flags = options === "" ? [] : ["-o", options];
  const { code, words } = await run("mount", ["-t", type, ...flags, "--", source, target]);
  if (code === 0) return;
  const doing = { doing: `mount ${type}`, on: source };
  if (code === undefined) {
    throw new GantryError("unavailable", {
      ...doing,
      because: `nothing answered within ${patience / 1000} seconds`,
      next: "See that its server can be reached from this machine.",
    });
  }
  throw new GantryError("invalid", {
    ...doing,
    because: words || `mount(8) ended with ${code}`,
    next: "The same words as options of mount(8) must work on this machine.",
  });
}

/** Takes it out of the tree at once; who still has files open there keeps them. Not mounted is no error. */
export async function unmountNamed(target: string): Promise<void> {
  while (isMountPoint(target)) {
    const { code, words } = await run("umount", ["--lazy", "--", target]);
    if (code === 0) continue;
    throw new GantryError("internal", { doing: "unmount", on: target, because: words || "umount(8) does not end" });
  }
}

export function isMountPoint(path: string): boolean {
  return readMountTable().some((entry) => entry.mountPoint === path);
}

async function run(program: string, words: readonly string[]): Promise<{ code: number | undefined; words: string }> {
  const child = Bun.spawn([installedProgram(program, "mount", "mount"), ...words], {
    cwd: "/",
    env: { LC_ALL: "C", PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => {
    child.kill("SIGKILL");
    late.resolve(undefined);
  }, patience);
  try {
    const code = await Promise.race([child.exited, late.promise]);
    if (code === undefined) return { code, words: "" };
    return { code, words: plain(await new Response(child.stderr).text()) };
  } finally {
    clearTimeout(timer);
  }
}

/** "mount: /place: the reason.\n  dmesg(1) may have more" as one clause. */
function plain(text: string): string {
  const first = text.split("\n").find((line) => line.trim() !== "") ?? "";
  return first
    .trim()
    .replace(/^u?mount(\.[a-z0-9]+)?: /, "")
    .replace(/^\/[^ ]*: /, "")
    .replace(/\.$/, "");
}
