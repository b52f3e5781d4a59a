import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Add, Range } from "#formats/dockerfile/contract.ts";
import { createDigester, parseDigest } from "#formats/oci/digest.ts";
import type { BuildScope } from "./layer-step.ts";
import type { Places } from "./places.ts";

export function isUrl(source: string): boolean {
  return /^https?:\/\//i.test(source);
}

/** Git sources come with a later version; they are refused by name rather than taken for files. */
export function isGitSource(source: string): boolean {
  return /^(?:git@|git:\/\/|ssh:\/\/)/i.test(source) || /^https?:\/\/[^?#]*\.git(?:[?#]|$)/i.test(source);
}

/** A URL as it may be shown and kept: without user-info and query. */
export function publicUrl(text: string): string {
  try {
    const url = new URL(text);
    const query = url.search === "" ? "" : "?...";
    return `${url.protocol}//${url.host}${url.pathname}${query}`;
  } catch {
    return text.replace(/\/\/[^/@]*@/, "//").replace(/\?.*/, "?...");
  }
}

/** ADD --checksum as a digest; undefined when there is none. */
export function wantedChecksum(add: Add, text: string | undefined, places: Places): string | undefined {
  if (text === undefined || text === "") return undefined;
  const range = add.flags.find((flag) => flag.name === "checksum")?.range ?? add.range;
  try {
    return parseDigest(text);
  } catch {
    throw places.wrong(range, `--checksum=${text} is no digest`, "Write it as sha256: and 64 hex digits.");
  }
}

/** Downloads into a folder; gives the file's name there. The digest is checked when one is wanted. */
export async function download(
  scope: BuildScope,
  url: string,
  folder: string,
  wanted: string | undefined,
  at: { readonly range: Range; readonly step: number; readonly places: Places },
): Promise<string> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const response = await scope.ports.downloads.get(url, scope.signal);
  const name = fileName(response.fileName);
  const digester = createDigester("sha256");
  const fd = openSync(join(folder, name), "wx", 0o600);
  let bytes = 0;
  try {
    for await (const chunk of response.body) {
      scope.signal.throwIfAborted();
      for (let done = 0; done < chunk.length; ) done += writeSync(fd, chunk, done, chunk.length - done);
      digester.update(chunk);
      bytes += chunk.length;
      scope.emit({ type: "progress", step: at.step, what: `downloading ${publicUrl(url)}`, done: bytes });
    }
  } finally {
    closeSync(fd);
  }
  const digest = digester.value();
  if (wanted !== undefined && wanted !== digest) {
    throw at.places.wrong(
      at.range,
      `${publicUrl(url)} is ${digest}, --checksum wants ${wanted}`,
      "Somebody changed the file, or the checksum is of another one. Check it before you change the Dockerfile.",
    );
  }
  return name;
}

/** A single name, fit for a path. */
function fileName(name: string): string {
  const last = name.split("/").at(-1) ?? "";
  return last === "" || last === "." || last === ".." ? "download" : last.slice(0, 255);
}
