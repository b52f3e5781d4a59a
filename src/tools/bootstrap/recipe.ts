import type { BootstrapRequest } from "./contract.ts";

/** Raised when the recipe changes what it makes, so that the cache does not give older tars. */
export const recipeVersion = 2;

/** Release files without a date: any fixed moment serves, this is 2020-01-01T00:00:00Z. */
export const undatedEpoch = 1_577_836_800;

/**
 * Run by mmdebstrap with the new root as $1, after all packages are in: takes out what would tell of the machine, of
 * its package source or of the day. What mmdebstrap itself cleans (lists, caches, logs) comes after it.
 */
export const customizeHook = `set -eu
cd "$1"
rm -f etc/resolv.conf etc/hostname etc/apt/apt.conf.d/99mmdebstrap etc/dpkg/dpkg.cfg.d/99mmdebstrap
: >etc/apt/sources.list
rm -rf etc/apt/sources.list.d/* etc/apt/auth.conf etc/apt/auth.conf.d/* etc/apt/mirrors
rm -f var/log/*.log var/log/apt/* var/cache/debconf/*-old var/lib/dpkg/*-old var/cache/ldconfig/aux-cache
rm -f var/lib/dbus/machine-id
if [ -e etc/machine-id ]; then : >etc/machine-id; fi`;

export interface RecipeFiles {
  /** sources.list for the time of the work. */
  readonly sources: string;
  /** apt's settings for the time of the work. */
  readonly aptSettings: string;
}

/**
 * mmdebstrap's words, for a tar without /dev on its standard output; files instead of values, as both may hold a proxy's password.
 */
export function recipe(
  request: Pick<BootstrapRequest, "suite" | "variant" | "include">,
  files: RecipeFiles,
  uid: number,
): string[] {
  return [
    "mmdebstrap",
    `--mode=${uid === 0 ? "root" : "unshare"}`,
    "--format=tar",
    `--variant=${request.variant}`,
    ...(request.include.length === 0 ? [] : [`--include=${request.include.join(",")}`]),
    `--aptopt=${files.aptSettings}`,
    // A container gets its own devices; nodes in a layer would only ask for rights to unpack.
    "--skip=output/dev",
    `--customize-hook=${customizeHook}`,
    request.suite,
    "-",
    files.sources,
  ];
}

/**
 * Of `apt-config dump`, what it takes to reach the sources from here: proxies, certificates, time-outs, date checks and
 * where passwords are kept.
 */
export function reachSettings(dump: string): string {
  return dump
    .split("\n")
    .filter((line) =>
      /^(Acquire::((http|https|ftp|tor)(::|\s)|Check-|Retries|ForceIPv|Max-ValidTime|Min-ValidTime|Proxy))/i.test(line),
    )
    .filter((line) => !/^\S+ "";$/.test(line))
    .map((line) => `${line}\n`)
    .join("");
}

/** The cache's file name: everything the bytes depend on, but the packages themselves. */
export function cacheName(request: BootstrapRequest, date: number, architecture: string): string {
  const { distribution, suite, variant, mirror } = request;
  const key = JSON.stringify([
    recipeVersion,
    architecture,
    distribution,
    suite,
    variant,
    request.include,
    date,
    mirror,
  ]);
  const hash = new Bun.CryptoHasher("sha256").update(key).digest("hex").slice(0, 12);
  return `${distribution}-${suite}-${variant}-${hash}.tar`;
}
