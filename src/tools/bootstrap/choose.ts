import { GantryError } from "#base/core/errors.ts";
import type { BootstrapRequest, PackageSource } from "./contract.ts";

export interface Chosen extends PackageSource {
  /** Updates and security fixes: left out when the source does not have them. */
  readonly optional: boolean;
}

/** Suites without updates beside them. */
const rolling = new Set(["sid", "unstable", "experimental"]);

/**
 * The sources of one suite: the machine's own lines for it and its updates, else its archive with the suite's name
 * changed. Error "not-found": the machine has no source that could have it.
 */
export function chooseSources(
  request: Pick<BootstrapRequest, "distribution" | "suite" | "mirror">,
  sources: readonly PackageSource[],
): Chosen[] {
  const { distribution, suite, mirror } = request;
  if (mirror !== undefined) return around([{ uri: mirror, suite, components: ["main"], options: {} }], suite);
  const own = sources.filter((source) => related(suite).includes(source.suite));
  if (own.some((source) => source.suite === suite)) {
    return own.map((source) => ({ ...source, optional: source.suite !== suite }));
  }
  const archive = sources.filter((source) => belongsTo(source.uri, distribution));
  if (archive.length > 0) return around(archive, suite);
  throw new GantryError("not-found", {
    doing: "find packages for",
    on: `${distribution}:${suite}`,
    because:
      sources.length === 0
        ? "this machine's apt has no package source"
        : `this machine's apt has sources of ${[...new Set(sources.map((source) => source.suite))].join(", ")} only`,
    next: "Name one with --mirror URI.",
  });
}

function related(suite: string): string[] {
  return [suite, `${suite}-updates`, `${suite}-security`, `${suite}/updates`];
}

/** ".../debian", ".../debian-security": the last words of the path say whose archive it is. */
function belongsTo(uri: string, distribution: string): boolean {
  const segments = uri.split("/").slice(3);
  return segments.some((segment) => segment === distribution || segment === `${distribution}-security`);
}

/** The same archives with another suite: its own packages and, where there are such, its updates. */
function around(archive: readonly PackageSource[], suite: string): Chosen[] {
  const out = new Map<string, Chosen>();
  for (const source of archive) {
    const security = /(-security|\/updates)$/.test(source.suite) || /-security\/?$/.test(source.uri);
    const names = security ? [`${suite}-security`] : rolling.has(suite) ? [suite] : [suite, `${suite}-updates`];
    if (security && rolling.has(suite)) continue;
    for (const name of names) {
      const key = `${source.uri} ${name}`;
      // Keys of the old suite may not sign the new one: apt's own keyring decides unless the source names a file.
      if (!out.has(key)) out.set(key, { ...source, suite: name, optional: name !== suite });
    }
  }
  return [...out.values()];
}

/** One line of sources.list(5). `keyFile` is where an in-line key has been written. */
export function oneLine(source: PackageSource, keyFile: string | undefined): string {
  const options = Object.entries({ ...source.options, ...(keyFile === undefined ? {} : { "signed-by": keyFile }) });
  const shown = options.length === 0 ? "" : `[${options.map(([name, value]) => `${name}=${value}`).join(" ")}] `;
  return `deb ${shown}${source.uri} ${source.suite} ${source.components.join(" ")}`.trimEnd();
}
