import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import { createTarWriter, tarEntry } from "#formats/tar/writer.ts";
import { type Chosen, chooseSources, oneLine } from "./choose.ts";
import type { BootstrapOptions, Bootstrapped, BootstrapRequest, PackageSource } from "./contract.ts";
import { cacheName, reachSettings, recipe, undatedEpoch } from "./recipe.ts";
import { parseRelease, type Release } from "./release.ts";
import { runQuietly, runTool } from "./run-tool.ts";
import { readSources } from "./sources.ts";

const helper = "/usr/lib/apt/apt-helper";

/**
 * Makes a base system's tar, or finds it in the cache.
 * Errors: "invalid" for a request that says nothing sensible; "not-found" when no package source has the suite;
 * "unavailable" when mmdebstrap is missing or fails, with its last lines; "cancelled".
 */
export async function bootstrap(request: BootstrapRequest, options: BootstrapOptions = {}): Promise<Bootstrapped> {
  validate(request);
  requireProgram();
  const uid = process.getuid?.() ?? 0;
  // Readable by apt's own user, who checks signatures; what may be secret in it is closed by itself. Without root it
  // is read as another user of the user namespace, and came from files that every user may read.
  const closed = uid === 0 ? 0o600 : 0o644;
  const work = mkdtempSync(join(tmpdir(), "gantry-bootstrap-"));
  chmodSync(work, 0o755);
  try {
    const reachable = await reach(chooseSources(request, readSources()), request, work);
    const date = request.date ?? reachable.date ?? undatedEpoch;
    const sorted = { ...request, include: [...new Set(request.include)].sort() };
    const tar = join(request.cache, cacheName(sorted, date, process.arch));
    if (!request.fresh && existsSync(tar)) return { tar, date, cached: true };
    mkdirSync(request.cache, { recursive: true });
    const output = `${tar}.${process.pid}.part`;
    try {
      const sources = join(work, "sources.list");
      writeFileSync(sources, sourcesList(reachable.sources, work), { mode: closed });
      const aptSettings = join(work, "apt.conf");
      writeFileSync(aptSettings, reachSettings(await runQuietly(["apt-config", "dump"])), { mode: closed });
      const words = recipe(sorted, { sources, aptSettings }, uid);
      await writeTar(output, date, (fd) => runTool(words, environment(date), fd, options));
      renameSync(output, tar);
    } finally {
      rmSync(output, { force: true });
    }
    return { tar, date, cached: false };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** mmdebstrap leaves /dev out when it is to make no devices; the empty folder is wanted all the same. */
async function writeTar(file: string, date: number, rest: (fd: number) => Promise<void>): Promise<void> {
  const fd = openSync(file, "wx", 0o644);
  try {
    const writer = createTarWriter((chunk) => {
      writeSync(fd, chunk);
    });
    const name = new TextEncoder().encode("./dev/");
    writer.entry(tarEntry({ name, type: "directory", mode: 0o755, modified: { seconds: date, nanoseconds: 0 } }));
    await rest(fd);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function validate(request: BootstrapRequest): void {
  const refuse = (on: string, because: string, next?: string) => {
    throw new GantryError("invalid", { doing: "bootstrap", on, because, ...(next === undefined ? {} : { next }) });
  };
  const { distribution, suite, mirror } = request;
  if (!/^[a-z][a-z0-9]*$/.test(distribution) || !/^[a-z][a-z0-9.-]*$/.test(suite)) {
    refuse(
      `${distribution}:${suite}`,
      "it is no distribution and suite",
      "For example: gantry bootstrap debian:bookworm",
    );
  }
  for (const name of request.include) {
    if (!/^[a-z0-9][a-z0-9+.-]+(:[a-z0-9-]+)?(=[\w.+~:-]+)?$/.test(name)) refuse(name, "it is no package's name");
  }
  if (mirror !== undefined && !/^[a-z+]+:\S+$/.test(mirror)) refuse(mirror, "it is no address of a package source");
}

function requireProgram(): void {
  const missing = [
    ["mmdebstrap", Bun.which("mmdebstrap") !== null],
    ["apt", existsSync(helper)],
  ].filter(([, there]) => there === false);
  if (missing.length === 0) return;
  throw new GantryError("unavailable", {
    doing: "make a base image from packages",
    because: `${missing.map(([name]) => name).join(" and ")} is not installed`,
    next: "Run: apt-get install mmdebstrap",
  });
}

/** What goes on from the caller's environment: only the way to the network, so that two users make the same bytes. */
function environment(date: number): Record<string, string> {
  const out: Record<string, string> = {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    LC_ALL: "C.UTF-8",
    SOURCE_DATE_EPOCH: String(date),
  };
  const kept = /^(https?_proxy|ftp_proxy|all_proxy|no_proxy|ssl_cert_(file|dir)|home|tmpdir|user|logname)$/i;
  for (const [name, value] of Object.entries(process.env))
    if (kept.test(name) && value !== undefined) out[name] = value;
  return out;
}

function sourcesList(sources: readonly PackageSource[], work: string): string {
  return sources
    .map((source, index) => {
      let keyFile: string | undefined;
      if (source.key !== undefined) {
        keyFile = join(work, `key-${index}.asc`);
        writeFileSync(keyFile, source.key);
      }
      return `${oneLine(source, keyFile)}\n`;
    })
    .join("");
}

interface Reachable {
  readonly sources: readonly PackageSource[];
  readonly date: number | undefined;
}

/** Asks each source for its Release file, through apt, which knows the machine's proxies, keys and passwords. */
async function reach(chosen: readonly Chosen[], request: BootstrapRequest, work: string): Promise<Reachable> {
  const sources: PackageSource[] = [];
  let date: number | undefined;
  for (const source of chosen) {
    const found = await readRelease(source, work);
    if (typeof found === "string") {
      if (source.optional) continue;
      throw new GantryError("not-found", {
        doing: "find packages for",
        on: `${request.distribution}:${request.suite}`,
        because: `${source.uri} has no such suite, or does not answer:\n${found}`,
        next: "Check the suite's name, or name another source with --mirror URI.",
      });
    }
    if (found.origin !== undefined && found.origin.toLowerCase() !== request.distribution) {
      throw new GantryError("invalid", {
        doing: "bootstrap",
        on: `${request.distribution}:${request.suite}`,
        because: `its package source is ${found.origin}'s`,
        next: `Write ${found.origin.toLowerCase()}:${request.suite}, or name another source with --mirror URI.`,
      });
    }
    if (!source.optional) date ??= found.date;
    sources.push(source);
  }
  return { sources, date };
}

async function readRelease(source: PackageSource, work: string): Promise<Release | string> {
  let failure: unknown;
  for (const name of ["InRelease", "Release"]) {
    const file = join(work, "release");
    rmSync(file, { force: true });
    try {
      await runQuietly([helper, "download-file", `${source.uri}/dists/${source.suite}/${name}`, file]);
      return parseRelease(readFileSync(file, "utf8"));
    } catch (error) {
      failure ??= error;
    }
  }
  return failure instanceof GantryError ? failure.parts.because : String(failure);
}
