import { GantryError } from "#base/core/errors.ts";
import { installedProgram } from "#base/system/process/installed.ts";

/**
 * Copies what is in a folder with all it has: owners, modes, times, xattrs and ACLs, hard links, holes, devices. Blocks
 * are shared where the file system can (reflink), so that a clone takes no room. cp(1) follows no link with -a.
 */
export async function cloneTree(from: string, to: string, signal: AbortSignal): Promise<void> {
  const words = ["-a", "--reflink=auto", "--sparse=auto", "--no-target-directory", "--", from, to];
  const child = Bun.spawn([installedProgram("cp", "copy", "coreutils"), ...words], {
    cwd: "/",
    env: { LC_ALL: "C" },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const stop = () => child.kill("SIGKILL");
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    const said = await new Response(child.stderr).text();
    const code = await child.exited;
    if (signal.aborted) throw new GantryError("cancelled", { doing: "copy", on: from, because: "the caller left" });
    if (code !== 0) {
      const full = said.includes("No space left");
      const because = said.split("\n")[0] || `cp ended with ${code}`;
      throw new GantryError(full ? "exhausted" : "internal", { doing: "copy", on: from, because });
    }
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
