import { GantryError } from "#base/core/errors.ts";
import { selfCommand } from "#base/core/self.ts";

/**
 * Starts the engine unless one runs; returns when it answers. Two callers at once yield one engine: the launcher
 * takes a lock. Errors: "unavailable" with the launcher's own words.
 */
export async function startEngine(): Promise<void> {
  const child = Bun.spawn([...selfCommand(), "engine", "launch"], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const words = await new Response(child.stderr).text();
  if ((await child.exited) === 0) return;
  const said = words.trim().replace(/^Cannot start the engine: /, "");
  throw new GantryError("unavailable", {
    doing: "start the engine",
    because: said === "" ? `the launcher ended with ${child.exitCode}` : said,
    // What the engine says itself may name its own next step, and then ends as a sentence.
    ...(said.endsWith(".") ? {} : { next: "gantry doctor says what is missing on this machine." }),
  });
}
