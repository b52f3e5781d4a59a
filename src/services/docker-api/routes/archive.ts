import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { GantryError, isKind } from "#base/core/errors.ts";
import { spool } from "#engine/build-context.ts";
import type { Engine } from "#engine/contract.ts";
import { type CopyRoot, type PathFacts, packTar, statPath, unpackTar } from "#engine/copy/tasks.ts";
import type { PathStat } from "#formats/docker/container.ts";
import type { Answer, Call, Route } from "../contract.ts";
import { scratchFile } from "../scratch-file.ts";

export function archiveRoutes(engine: Engine): Route[] {
  return [
    { method: "HEAD", path: "/containers/:id/archive", handle: (call) => head(engine, call) },
    { method: "GET", path: "/containers/:id/archive", handle: (call) => get(engine, call) },
    { method: "PUT", path: "/containers/:id/archive", handle: (call) => put(engine, call) },
    { method: "GET", path: "/containers/:id/export", handle: (call) => exportRoot(engine, call) },
  ];
}

type Place = CopyRoot & { readonly path: string };

function askedPath(call: Call): string {
  const path = call.query.get("path") ?? "";
  if (path !== "" && !path.includes("\0")) return path.startsWith("/") ? path : `/${path}`;
  throw new GantryError("invalid", { doing: "copy", on: call.params.id!, because: "no path was named" });
}

function statHeader(facts: PathFacts): Record<string, string> {
  const stat: PathStat = {
    name: facts.name,
    size: facts.size,
    mode: facts.mode,
    mtime: new Date(facts.modified).toISOString(),
    linkTarget: facts.linkTarget,
  };
  return { "X-Docker-Container-Path-Stat": Buffer.from(JSON.stringify(stat)).toString("base64") };
}

async function head(engine: Engine, call: Call): Promise<Answer> {
  const path = askedPath(call);
  await using root = await engine.containers.openRoot(call.params.id!, { mounts: true });
  return { status: 200, headers: statHeader(await engine.bulk.run(statPath, { root: root.path, mounts: true, path })) };
}

async function get(engine: Engine, call: Call): Promise<Answer> {
  const asked = askedPath(call);
  const root = await engine.containers.openRoot(call.params.id!, { mounts: true });
  const file = scratchFile(engine);
  try {
    const place = { root: root.path, mounts: true, path: asked };
    const facts = await engine.bulk.run(statPath, place);
    // "/x/." is what the folder holds, under the name "."; else the last name is the top entry's.
    const name = asked.endsWith("/.") ? "." : asked === "/" ? "/" : basename(asked);
    await engine.bulk.run(packTar, { ...place, file: file.path, name }, { signal: call.signal });
    return {
      status: 200,
      headers: { "Content-Type": "application/x-tar", ...statHeader({ ...facts, name: basename(asked) || "/" }) },
      stream: async (out) => {
        using _file = file;
        for await (const chunk of createReadStream(file.path)) await out.write(chunk as Buffer);
      },
    };
  } catch (error) {
    file[Symbol.dispose]();
    throw error;
  } finally {
    await root[Symbol.asyncDispose]();
  }
}

async function put(engine: Engine, call: Call): Promise<Answer> {
  const path = askedPath(call);
  using file = scratchFile(engine);
  await spool(call.body, file.path, call.signal);
  await using root = await engine.containers.openRoot(call.params.id!, { mounts: true });
  const place = { root: root.path, mounts: true, path };
  await requireFolder(engine, place);
  const time = Math.floor(Date.now() / 1000);
  try {
    await engine.bulk.run(unpackTar, { ...place, file: file.path, time, keepTimes: true }, { signal: call.signal });
  } catch (error) {
    if (!isKind(error, "denied") || error.parts.details?.errno !== "EROFS") throw error;
    throw await readOnly(engine, call.params.id!, place, error);
  }
  return { status: 200 };
}

/** The kernel refused: in Docker's words, which tell a volume from the root. */
async function readOnly(engine: Engine, container: string, place: Place, cause: unknown): Promise<GantryError> {
  const rootIsReadOnly = engine.containers.get(container).config.readonlyRootfs === true;
  const [root, here] = await Promise.all(
    ["/", `${place.path}/.`].map((path) => engine.bulk.run(statPath, { ...place, path })),
  );
  const because =
    rootIsReadOnly && root?.device === here?.device
      ? "container rootfs is marked read-only"
      : "mounted volume is marked read-only";
  return new GantryError("denied", { doing: "copy into the container", on: place.path, because, cause });
}

async function requireFolder(engine: Engine, place: Place): Promise<void> {
  try {
    // With a slash behind it a link to a folder is followed.
    await engine.bulk.run(statPath, { ...place, path: `${place.path}/.` });
  } catch (error) {
    if (!isKind(error, "not-found")) throw error;
    throw new GantryError("not-found", {
      doing: "copy into the container",
      on: place.path,
      because: `Could not find the file ${place.path} in container`,
      next: "The folder must be there already.",
      cause: error,
    });
  }
}

async function exportRoot(engine: Engine, call: Call): Promise<Answer> {
  const record = engine.containers.get(call.params.id!);
  const file = scratchFile(engine);
  try {
    await using root = await engine.containers.openRoot(record.id);
    await engine.bulk.run(packTar, { root: root.path, path: "/", file: file.path, name: "" }, { signal: call.signal });
  } catch (error) {
    file[Symbol.dispose]();
    throw error;
  }
  return {
    status: 200,
    headers: { "Content-Type": "application/octet-stream" },
    stream: async (out) => {
      using _file = file;
      for await (const chunk of createReadStream(file.path)) await out.write(chunk as Buffer);
    },
  };
}
