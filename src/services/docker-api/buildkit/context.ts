import { posix } from "node:path";
import { createClient } from "@connectrpc/connect";
import { GantryError } from "#base/core/errors.ts";
import type { Engine, ReceivedContext } from "#engine/contract.ts";
import { ignorePatterns } from "#formats/dockerfile/ignore.ts";
import { outsideFolder } from "#formats/dockerfile/outside.ts";
import { tarStream } from "#formats/tar/streams.ts";
import { tarEntry } from "#formats/tar/writer.ts";
import type { Session, Wanted } from "./contract.ts";
import { syncFolder } from "./filesync.ts";
import { Outbox } from "./outbox.ts";
import { type BytesMessage, Upload } from "./protos/upload.gen.ts";
import { readFiles } from "./small-files.ts";
import type { BuildSteps } from "./steps.ts";

/**
 * Brings the client's context into a folder of the engine's. The files pass as a tar, so that one piece of code puts
 * what clients send on the disk, whichever way it comes.
 */
export async function receive(
  engine: Engine,
  sessions: { of(folder: string): Promise<Session> },
  wanted: Wanted,
  steps: BuildSteps,
  signal: AbortSignal,
): Promise<ReceivedContext> {
  if (wanted.upload !== undefined) {
    const body = upload(await sessions.of(wanted.contextFolder), wanted.upload, signal);
    return await steps.inside("[internal] load remote build context", () =>
      engine.images.receiveContext(body, wanted.dockerfile, signal),
    );
  }
  const { dockerfile } = wanted;
  const ignoreName = `${dockerfile}.dockerignore`;
  const found = await steps.inside(`[internal] load build definition from ${dockerfile}`, async () => {
    const session = await sessions.of(wanted.dockerfileFolder);
    const file = await readFiles(session, wanted.dockerfileFolder, [dockerfile, ignoreName], signal);
    const bytes = file(dockerfile);
    if (bytes === undefined) throw noDockerfile(dockerfile);
    return { bytes, ignore: file(ignoreName) };
  });
  const session = await sessions.of(wanted.contextFolder);
  const ignore = await steps.inside("[internal] load .dockerignore", async () => {
    if (found.ignore !== undefined) return found.ignore;
    return (await readFiles(session, wanted.contextFolder, [".dockerignore"], signal))(".dockerignore");
  });
  return await steps.inside("[internal] load build context", async (told) => {
    let bytes = 0;
    const onBytes = (more: number) => {
      bytes += more;
      told("transferring context:", bytes);
    };
    const options = { folder: wanted.contextFolder, exclude: excluded(ignore), signal, onBytes };
    const body = tarStream(async (tar) => {
      const beside = (name: string, content: Uint8Array) =>
        tar.entry(
          tarEntry({ name: Buffer.from(`${outsideFolder}/${name}`), type: "file", mode: 0o644, size: content.length }),
          content,
        );
      await beside(dockerfile, found.bytes);
      if (found.ignore !== undefined) await beside(ignoreName, found.ignore);
      await syncFolder(session, options, (entry, content) => tar.entry(entry, content));
    });
    return await engine.images.receiveContext(body, `${outsideFolder}/${dockerfile}`, signal);
  });
}

/** As clients want them: clean paths below the context, exceptions with their mark. */
function excluded(ignore: Uint8Array | undefined): string[] {
  return ignorePatterns(ignore).map((pattern) => {
    const mark = pattern.startsWith("!") ? "!" : "";
    const path = posix.normalize(pattern.slice(mark.length).trim()).replace(/(?<=.)\/$/, "");
    return `${mark}${path.replace(/^\/(?=.)/, "")}`;
  });
}

async function* upload(session: Session, path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const headers = { urlpath: path, urlhost: "buildkit-session" };
  const both = AbortSignal.any([signal, session.gone]);
  // Nothing is said from this side: the client has the word until it is done.
  const silence = new Outbox<BytesMessage>();
  try {
    const pieces = createClient(Upload, session.transport).pull(silence, { headers, signal: both });
    for await (const { data } of pieces) yield data;
  } finally {
    silence.end();
  }
}

function noDockerfile(name: string): GantryError {
  return new GantryError("not-found", {
    doing: "build",
    on: name,
    because: "the client's folder holds no such Dockerfile",
    next: "Name it with -f, or write one with: gantry init",
  });
}
