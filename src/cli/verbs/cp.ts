import { lstatSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { GantryError, isKind } from "#base/core/errors.ts";
import type { Client } from "#client/contract.ts";
import type { PathStat } from "#formats/docker/container.ts";
import { extractArchive } from "#tools/context/extract.ts";
import { packPath } from "#tools/context/pack-path.ts";
import type { Verb } from "../contract.ts";

interface Side {
  readonly container?: string;
  readonly path: string;
}

/** "name:/path" or a path here; "./a:b" and "/a:b" are paths. */
function parseSide(text: string): Side {
  const at = text.indexOf(":");
  return at < 1 || /^[./]/.test(text) ? { path: text } : { container: text.slice(0, at), path: text.slice(at + 1) };
}

const directoryBit = 2 ** 31;

export const verb: Verb = {
  declare(command, run) {
    command
      .argument("<source>", "CONTAINER:PATH, PATH, or - for a tar on standard input")
      .argument("<target>", "PATH, CONTAINER:PATH, or - for a tar on standard output")
      .option("-a, --archive", "keep owners, as it is by default into a container")
      .option("-q, --quiet", "say nothing");
    command.action((source: string, target: string, options: { quiet?: boolean }) =>
      run(async (context) => {
        const from = parseSide(source);
        const to = parseSide(target);
        if ((from.container === undefined) === (to.container === undefined)) {
          throw new GantryError("invalid", {
            doing: "copy",
            on: `${source} ${target}`,
            because: "exactly one side must be a container",
            next: "Write it as CONTAINER:PATH.",
          });
        }
        const client = await context.client();
        if (from.container !== undefined) {
          const stream = await client.stream("GET", archive(from.container), { query: { path: from.path } });
          if (target === "-") for await (const chunk of stream) context.stdout.write(chunk);
          else await extractArchive(stream, placeHere(from.path, to.path));
          if (target !== "-" && options.quiet !== true) context.stderr.write(`Copied to ${resolve(to.path)}\n`);
          return undefined;
        }
        const place = source === "-" ? { folder: to.path, name: "" } : await placeThere(client, to, from.path);
        const body = source === "-" ? Bun.stdin.stream() : packPath(from.path, place.name);
        await client.request("PUT", archive(to.container!), {
          query: { path: place.folder },
          body,
          headers: { "Content-Type": "application/x-tar" },
        });
        if (options.quiet !== true) context.stderr.write(`Copied to ${to.container}:${to.path}\n`);
        return undefined;
      }),
    );
  },
};

function archive(container: string): string {
  return `/containers/${encodeURIComponent(container)}/archive`;
}

/** Where the archive's top entry goes here: into a folder that exists, else under the target's own name. */
function placeHere(source: string, target: string): { folder: string; name: string | undefined } {
  const isFolder = (() => {
    try {
      return statSync(target).isDirectory();
    } catch {
      // Not there yet: then the name is the copy's.
      return false;
    }
  })();
  if (isFolder) return { folder: target, name: undefined };
  if (target.endsWith("/") && !source.endsWith("/.")) {
    throw new GantryError("not-found", { doing: "copy to", on: target, because: "there is no such folder" });
  }
  return { folder: dirname(resolve(target)), name: basename(resolve(target)) };
}

/** The folder in the container the tar is unpacked in, and the top entry's name in it. */
async function placeThere(client: Client, to: Side, source: string): Promise<{ folder: string; name: string }> {
  const contentOnly = source.endsWith("/.");
  const status = lstatSync(source.replace(/\/\.$/, "") || "/", { throwIfNoEntry: false });
  if (status === undefined) {
    throw new GantryError("not-found", { doing: "copy", on: source, because: "there is no such file or folder" });
  }
  const isFolder = status.isDirectory();
  const stat = await statThere(client, to);
  if (stat !== undefined && stat.mode >= directoryBit) {
    return { folder: to.path, name: contentOnly ? "." : basename(resolve(source)) };
  }
  if (stat !== undefined && isFolder) {
    throw new GantryError("conflict", { doing: "copy a folder to", on: to.path, because: "a file is there" });
  }
  if (to.path.endsWith("/") && stat === undefined && !isFolder) {
    throw new GantryError("not-found", {
      doing: "copy to",
      on: to.path,
      because: "there is no such folder in the container",
    });
  }
  return { folder: dirname(to.path.replace(/\/+$/, "")) || "/", name: basename(to.path) };
}

async function statThere(client: Client, to: Side): Promise<PathStat | undefined> {
  try {
    const headers = await client.head(archive(to.container!), { query: { path: to.path } });
    const text = headers.get("X-Docker-Container-Path-Stat") ?? "";
    const stat = JSON.parse(Buffer.from(text, "base64").toString("utf8")) as PathStat;
    if (stat.linkTarget === "") return stat;
    // A link is followed inside the container: with a slash behind it only a folder answers.
    const followed = await client.head(archive(to.container!), { query: { path: `${to.path}/.` } });
    return JSON.parse(
      Buffer.from(followed.get("X-Docker-Container-Path-Stat") ?? "", "base64").toString("utf8"),
    ) as PathStat;
  } catch (error) {
    if (isKind(error, "not-found")) return undefined;
    throw error;
  }
}
