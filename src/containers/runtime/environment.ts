import { GantryError } from "#base/core/errors.ts";

export const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * `later` over `base`: a name that is there keeps its place and gets the later value; a bare "NAME" in `later` takes
 * the name out, as Docker's API has it.
 */
export function mergeEnvironment(base: readonly string[], later: readonly string[]): string[] {
  const merged = new Map<string, string>();
  for (const entry of base) set(merged, entry);
  for (const entry of later) {
    if (entry.includes("=")) set(merged, entry);
    else merged.delete(entry);
  }
  return [...merged].map(([name, value]) => `${name}=${value}`);
}

/** Adds what every process may rely on, where nothing set it: PATH, HOME, with a terminal TERM. */
export function completeEnvironment(
  environment: readonly string[],
  facts: { readonly home: string; readonly terminal: boolean; readonly hostname?: string },
): string[] {
  const defaults = [
    `PATH=${defaultPath}`,
    ...(facts.hostname === undefined ? [] : [`HOSTNAME=${facts.hostname}`]),
    ...(facts.terminal ? ["TERM=xterm"] : []),
  ];
  const given = mergeEnvironment(defaults, environment);
  return given.some((entry) => entry.startsWith("HOME=")) ? given : [...given, `HOME=${facts.home}`];
}

function set(merged: Map<string, string>, entry: string): void {
  const equals = entry.indexOf("=");
  const name = equals < 0 ? entry : entry.slice(0, equals);
  if (name === "" || entry.includes("\0")) {
    throw new GantryError("invalid", {
      doing: "set the environment variable",
      on: entry,
      because: name === "" ? "it has no name" : "it holds a NUL byte",
      next: 'Write it as "NAME=value".',
    });
  }
  merged.set(name, equals < 0 ? "" : entry.slice(equals + 1));
}
