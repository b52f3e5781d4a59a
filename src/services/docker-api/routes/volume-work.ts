import { createReadStream } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import { spool } from "#engine/build-context.ts";
import type { Engine } from "#engine/contract.ts";
import { flag } from "../call.ts";
import type { Answer, Call, Route } from "../contract.ts";
import { scratchFile } from "../scratch-file.ts";
import { storedRequest } from "../shape/container.ts";
import { volumeShape } from "../shape/volume.ts";

interface CopyBody {
  readonly Name?: string;
  /** Freeze the containers that run with it. */
  readonly Pause?: boolean;
}

/** Whole volumes copied, carried and renamed: Docker has no page for it. */
export function volumeWorkRoutes(engine: Engine): Route[] {
  const base = "/gantry/v1/volumes/:name";
  const copy =
    (verb: "clone" | "snapshot"): Route["handle"] =>
    async (call) => {
      engine.requireSpace(`${verb} the volume`);
      const { Name, Pause } = await call.json<CopyBody>();
      const options = { pause: Pause === true, signal: call.signal };
      const made = await engine.volumeWork[verb](call.params.name!, Name || undefined, options);
      return { status: 201, json: volumeShape(made) };
    };
  return [
    { method: "POST", path: `${base}/clone`, handle: copy("clone") },
    { method: "POST", path: `${base}/snapshot`, handle: copy("snapshot") },
    { method: "GET", path: `${base}/export`, handle: (call) => pack(engine, call) },
    { method: "POST", path: `${base}/import`, handle: (call) => unpack(engine, call) },
    { method: "POST", path: `${base}/rename`, handle: (call) => rename(engine, call) },
  ];
}

async function pack(engine: Engine, call: Call): Promise<Answer> {
  const file = scratchFile(engine);
  try {
    const options = { pause: flag(call.query, "pause"), signal: call.signal };
    await engine.volumeWork.pack(call.params.name!, file.path, options);
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

async function unpack(engine: Engine, call: Call): Promise<Answer> {
  engine.requireSpace("import the volume");
  using file = scratchFile(engine);
  await spool(call.body, file.path, call.signal);
  const made = await engine.volumeWork.unpack({ name: call.params.name! }, file.path, call.signal);
  return { status: 201, json: volumeShape(made) };
}

async function rename(engine: Engine, call: Call): Promise<Answer> {
  const { Name = "" } = await call.json<{ Name: string }>();
  const name = call.params.name!;
  if (Name === "") {
    throw new GantryError("invalid", { doing: "rename the volume", on: name, because: "no new name was given" });
  }
  const renamed = engine.volumeWork.rename(name, Name, (request) => withName(request, name, Name));
  return { status: 200, json: volumeShape(renamed) };
}

/** What was asked for at creation, as if it had been asked with the new name. */
function withName(request: unknown, name: string, to: string): unknown {
  const stored = storedRequest({ request });
  const { Binds, Mounts } = stored.host;
  return {
    ...stored,
    host: {
      ...stored.host,
      ...(Binds
        ? { Binds: Binds.map((text) => (text.startsWith(`${name}:`) ? to + text.slice(name.length) : text)) }
        : {}),
      ...(Mounts
        ? {
            Mounts: Mounts.map((mount) =>
              mount.Type === "volume" && mount.Source === name ? { ...mount, Source: to } : mount,
            ),
          }
        : {}),
    },
    mounts: stored.mounts.map((mount) =>
      mount.Type === "volume" && mount.Name === name ? { ...mount, Name: to } : mount,
    ),
  };
}
