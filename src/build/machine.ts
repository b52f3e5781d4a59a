import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** A file of this machine shown inside RUN, read-only, in no layer. */
export interface MachineFile {
  /** On this machine. */
  readonly source: string;
  /** In the container. */
  readonly target: string;
}

/** What of an image's own files decides which of the machine's it is shown. */
export type ReadImageFile = (path: string) => string | undefined;

/** Lines of resolv.conf for a container of its own network: the machine's servers, without those only it can reach. */
export function resolvConfFor(machineRoot: string, hostNetwork: boolean): string {
  const text = readText(join(machineRoot, "etc/resolv.conf")) ?? "";
  if (hostNetwork) return text;
  const reachable = withoutLoopback(text);
  if (/^\s*nameserver/m.test(reachable)) return reachable;
  // systemd-resolved listens on loopback and keeps the real servers here.
  return withoutLoopback(readText(join(machineRoot, "run/systemd/resolve/resolv.conf")) ?? text);
}

function withoutLoopback(text: string): string {
  const lines = text.split("\n").filter((line) => !/^\s*nameserver\s+(?:127\.|::1)/.test(line) && !/^\s*#/.test(line));
  return lines.join("\n");
}

/** /etc/hosts for RUN. `added` are "name:address" as the user gave them. */
export function hostsFor(added: readonly string[], hostname: string): string {
  const lines = ["127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback", `127.0.1.1\t${hostname}`];
  for (const entry of added) {
    const separator = /[:=]/.exec(entry)?.index ?? entry.length;
    lines.push(`${entry.slice(separator + 1).replace(/^\[|\]$/g, "")}\t${entry.slice(0, separator)}`);
  }
  return `${lines.join("\n")}\n`;
}

/**
 * The machine's apt sources, for an image of the same Debian release that has none of its own: its packages then come
 * from where this machine gets its, and no image ever holds that place's name.
 */
export function aptSourcesFor(
  machineRoot: string,
  readImage: ReadImageFile,
  imageSources: readonly string[],
): MachineFile[] {
  const release = codename(readImage("/etc/os-release"));
  if (release === undefined || release !== codename(readText(join(machineRoot, "etc/os-release")))) return [];
  if (imageSources.some((path) => hasSource(readImage(path) ?? ""))) return [];
  const folder = join(machineRoot, "etc/apt/sources.list.d");
  const names = existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => /\.(?:sources|list)$/.test(name))
        .sort()
    : [];
  const files = ["etc/apt/sources.list", ...names.map((name) => `etc/apt/sources.list.d/${name}`)].filter((path) =>
    hasSource(readText(join(machineRoot, path)) ?? ""),
  );
  const keys = new Set(files.flatMap((path) => keyrings(readText(join(machineRoot, path)) ?? "")));
  return [...files.map((path) => `/${path}`), ...[...keys].filter((path) => readImage(path) === undefined)]
    .filter((path) => existsSync(join(machineRoot, path)) && statSync(join(machineRoot, path)).isFile())
    .map((path) => ({ source: join(machineRoot, path), target: path }));
}

/** Whether a sources file names any place, in either of apt's two forms. */
function hasSource(text: string): boolean {
  return /^\s*(?:deb(?:-src)?\s|URIs\s*:)/im.test(text);
}

/** Keyrings that "Signed-By: /path" or "[signed-by=/path]" name. */
function keyrings(text: string): string[] {
  return [...text.matchAll(/signed-by\s*[:=]\s*(\/[^\s\]]+)/gi)].map((match) => match[1]!);
}

function codename(osRelease: string | undefined): string | undefined {
  return /^VERSION_CODENAME="?([a-z0-9.-]+)"?$/m.exec(osRelease ?? "")?.[1];
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
