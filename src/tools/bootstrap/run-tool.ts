import { GantryError } from "#base/core/errors.ts";
import type { BootstrapOptions } from "./contract.ts";

const kept = 15;

/** Runs a program that writes to `output` and tells on its standard error how it goes on. Errors: "unavailable" with its last lines; "cancelled". */
export async function runTool(
  words: readonly string[],
  env: Record<string, string>,
  output: number,
  options: BootstrapOptions,
): Promise<void> {
  options.signal?.throwIfAborted();
  const child = Bun.spawn([...words], { stdin: "ignore", stdout: output, stderr: "pipe", env, detached: true });
  // A group of its own, so that its children hear the interrupt too: it then unmounts and removes what it made, and is
  // waited for below.
  const stop = () => {
    process.kill(-child.pid, "SIGINT");
  };
  options.signal?.addEventListener("abort", stop, { once: true });
  const last: string[] = [];
  try {
    for await (const line of lines(child.stderr)) {
      last.push(line);
      if (last.length > kept) last.shift();
      const step = progressOf(line);
      if (step !== undefined) options.onProgress?.(step);
    }
    await child.exited;
  } finally {
    options.signal?.removeEventListener("abort", stop);
  }
  if (options.signal?.aborted === true) {
    throw new GantryError("cancelled", { doing: "make the base system", because: "it was stopped" });
  }
  if (child.exitCode !== 0) throw failure(words[0]!, child.exitCode, last);
}

/** mmdebstrap's "I: creating tarball...", without what only its makers ask for; undefined for the rest. */
function progressOf(line: string): string | undefined {
  const said = /^[IW]: (.+)$/.exec(line)?.[1];
  return said === undefined || /tempdir|hook|skipping|signed-by|chroot architecture|^done$/.test(said)
    ? undefined
    : said;
}

/** Runs a program for its output. Error "unavailable" with its last lines. */
export async function runQuietly(words: readonly string[]): Promise<string> {
  const child = Bun.spawn([...words], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code === 0) return out;
  const said = err.split("\n").filter((line) => line.trim() !== "");
  throw failure(
    words[0]!,
    code,
    said
      .filter((line) => line.startsWith("E:"))
      .concat(said)
      .slice(0, 2),
  );
}

function failure(program: string, code: number | null, last: readonly string[]): GantryError {
  const said = last.length === 0 ? "" : `; its last words:\n  ${last.join("\n  ")}\n`;
  return new GantryError("unavailable", {
    doing: "make the base system",
    because: `${program.split("/").at(-1)} ended with ${code}${said}`,
    next: advice(last.join("\n")),
  });
}

function advice(words: string): string {
  if (/unable to locate package/i.test(words)) return "Check the names given with --include.";
  if (/newuidmap|subuid|unshare|user namespace/i.test(words))
    return "Without root it needs user namespaces (package uidmap, lines for you in /etc/subuid and /etc/subgid), or run it as root.";
  if (/no space left/i.test(words)) return "Free space in the temporary folder, or set TMPDIR to a roomier one.";
  if (/NO_PUBKEY|not signed|keyring/i.test(words))
    return "Install the keys of this suite, as the package debian-archive-keyring.";
  if (/failed to fetch|could not (resolve|connect)|connection/i.test(words))
    return "See whether 'apt-get update' works on this machine.";
  return "See mmdebstrap(1) for what the lines above say.";
}

async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split(/[\r\n]+/);
    rest = parts.pop()!;
    for (const part of parts) if (part !== "") yield part;
  }
  if (rest !== "") yield rest;
}
