import { createReadStream, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { GantryError, isKind } from "#base/core/errors.ts";
import type { ContainerRecord } from "#containers/lifecycle/contract.ts";
import { spool } from "#engine/build-context.ts";
import type { Engine } from "#engine/contract.ts";
import { type PathFacts, packTar, statPath, unpackTar } from "#engine/copy/tasks.ts";
import type { PathStat } from "#formats/docker/container.ts";
import type { Answer, Call, Route } from "../contract.ts";
import { storedRequest } from "../shape/container.ts";

export function archiveRoutes(engine: Engine): Route[] {
  return [
    { method: "HEAD", path: "/containers/:id/archive", handle: (call) => head(engine, call) },
    { method: "GET", path: "/containers/:id/archive", handle: (call) => get(engine, call) },
    { method: "PUT", path: "/containers/:id/archive", handle: (call) => put(engine, call) },
    { method: "GET", path: "/containers/:id/export", handle: (call) => exportRoot(engine, call) },
  ];
}

interface Place {
  /** What the path is resolved in, as if it were "/". */
  readonly root: string;
  readonly path: string;
  readonly readonly: boolean;
}

function askedPath(call: Call): string {
  const path = call.query.get("path") ?? "";
  if (path !== "" && !path.includes("\0")) return path.startsWith("/") ? path : `/${path}`;
  throw new GantryError("invalid", { doing: "copy", on: call.params.id!, because: "no path was named" });
}

/** Inside a volume or a bind mount the host's folder is the root; elsewhere the container's own. */
function placeOf(record: ContainerRecord, rootfs: string, path: string): Place {
  const inside = storedRequest(record)
    .mounts.filter(
      (mount) => mount.Type !== "tmpfs" && (path === mount.Destination || path.startsWith(`${mount.Destination}/`)),
    )
    .sort((a, b) => b.Destination.length - a.Destination.length)[0];
  if (inside !== undefined) {
    return { root: inside.Source, path: path.slice(inside.Destination.length) || "/", readonly: !inside.RW };
  }
  return { root: rootfs, path, readonly: record.config.readonlyRootfs === true };
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
  const record = engine.containers.get(call.params.id!);
  await using root = await engine.containers.openRoot(record.id);
  const { root: top, path } = placeOf(record, root.path, askedPath(call));
  return { status: 200, headers: statHeader(await engine.bulk.run(statPath, { root: top, path })) };
}

function scratchFile(engine: Engine): { readonly path: string } & Disposable {
  const path = join(engine.scratch, `copy-${crypto.randomUUID()}.tar`);
  return { path, [Symbol.dispose]: () => rmSync(path, { force: true }) };
}

async function get(engine: Engine, call: Call): Promise<Answer> {
  const record = engine.containers.get(call.params.id!);
  const asked = askedPath(call);
  const root = await engine.containers.openRoot(record.id);
  const file = scratchFile(engine);
  try {
    const place = placeOf(record, root.path, asked);
    const facts = await engine.bulk.run(statPath, { root: place.root, path: place.path });
    // "/x/." is what the folder holds, under the name "."; else the last name is the top entry's.
    const name = asked.endsWith("/.") ? "." : asked === "/" ? "/" : basename(asked);
    await engine.bulk.run(
      packTar,
      { root: place.root, path: place.path, file: file.path, name },
      { signal: call.signal },
    );
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
  const record = engine.containers.get(call.params.id!);
  const asked = askedPath(call);
  using file = scratchFile(engine);
  await spool(call.body, file.path, call.signal);
  await using root = await engine.containers.openRoot(record.id);
  const place = placeOf(record, root.path, asked);
  if (place.readonly) {
    throw new GantryError("denied", {
      doing: "copy into the container",
      on: asked,
      because: "container rootfs is marked read-only",
    });
  }
  await requireFolder(engine, place, asked);
  const time = Math.floor(Date.now() / 1000);
  await engine.bulk.run(
    unpackTar,
    { file: file.path, root: place.root, path: place.path, time, keepTimes: true },
    { signal: call.signal },
  );
  return { status: 200 };
}

async function requireFolder(engine: Engine, place: Place, asked: string): Promise<void> {
  try {
    // With a slash behind it a link to a folder is followed.
    await engine.bulk.run(statPath, { root: place.root, path: `${place.path}/.` });
  } catch (error) {
    if (!isKind(error, "not-found")) throw error;
    throw new GantryError("not-found", {
      doing: "copy into the container",
      on: asked,
      because: `Could not find the file ${asked} in container`,
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
    headers: { "Content-Type": "application/x-tar" },
    stream: async (out) => {
      using _file = file;
      for await (const chunk of createReadStream(file.path)) await out.write(chunk as Buffer);
    },
  };
}
