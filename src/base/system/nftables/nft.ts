import { GantryError } from "#base/core/errors.ts";
import { installedProgram } from "#base/system/process/installed.ts";

/** Applies a ruleset text in one transaction: all of it or nothing. Errors: "internal" with nft's own words. */
export async function applyRules(text: string): Promise<void> {
  const { code, words } = await nft(["-f", "-"], text);
  if (code === 0) return;
  throw new GantryError("internal", { doing: "change the packet rules", because: `nft says: ${firstLine(words)}` });
}

/** A table, a family of it, all chains: nft's JSON. undefined where nft cannot be asked. */
export async function listRules(what: readonly string[]): Promise<unknown> {
  const { code, output } = await nft(["-j", "list", ...what], "");
  return code === 0 ? JSON.parse(output) : undefined;
}

async function nft(words: readonly string[], input: string): Promise<{ code: number; words: string; output: string }> {
  const path = installedProgram("nft", "change the packet rules", "nftables");
  const child = Bun.spawn([path, ...words], {
    cwd: "/",
    stdin: new Blob([input]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, error, output] = await Promise.all([
    child.exited,
    new Response(child.stderr).text(),
    new Response(child.stdout).text(),
  ]);
  return { code, words: error, output };
}

function firstLine(text: string): string {
  return text.trim().split("\n", 1)[0] ?? "";
}
