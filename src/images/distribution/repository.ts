import { type Clock, systemClock } from "#base/core/clock.ts";
import { GantryError } from "#base/core/errors.ts";
import { type Descriptor, documentLimit, mediaTypes } from "#formats/oci/contract.ts";
import { digestAlgorithm, digestOf, isDigest } from "#formats/oci/digest.ts";
import { isIndexType, isManifestType, parseDocument } from "#formats/oci/document.ts";
import { registryOrigin } from "./address.ts";
import { Authorisation } from "./authorisation.ts";
import type { Credentials, Repository, RepositoryOptions, ResolvedDocument } from "./contract.ts";
import { type ExchangeRequest, exchange } from "./exchange.ts";

const accepted = [
  mediaTypes.manifest,
  mediaTypes.index,
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
].join(", ");

export function openRepository(options: RepositoryOptions, clock: Clock = systemClock): Repository {
  const { domain, path } = options.reference;
  const origin = registryOrigin(domain);
  const name = `${domain}/${path}`;
  const base = `${origin}/v2/${path}`;
  const authorisation = new Authorisation(
    origin,
    options.credentials,
    `repository:${path}:${options.actions.join(",")}`,
  );
  const ask = (request: Omit<ExchangeRequest, "on"> & { on?: string }) =>
    exchange({ on: name, ...request }, authorisation, clock);
  const optional = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { signal });

  async function resolve(target: string, signal?: AbortSignal): Promise<ResolvedDocument> {
    const on = isDigest(target) ? `${name}@${target}` : `${name}:${target}`;
    const response = await ask({
      method: "GET",
      url: `${base}/manifests/${target}`,
      headers: { Accept: accepted },
      accept: [200],
      doing: "read the manifest",
      on,
      ...optional(signal),
    });
    const bytes = await readDocument(response, on);
    const mediaType = (response.headers.get("content-type") ?? "").split(";", 1)[0]!.trim();
    const algorithm = isDigest(target) ? digestAlgorithm(target) : "sha256";
    const digest = digestOf(bytes, algorithm);
    if (isDigest(target) && digest !== target) throw corrupt(on, `its bytes are ${digest}`);
    const known = isManifestType(mediaType) || isIndexType(mediaType);
    if (!known) {
      throw new GantryError("unsupported", {
        doing: "read the manifest",
        on,
        because: `its media type "${mediaType}" is no image's`,
      });
    }
    parseDocument(bytes, { mediaType });
    return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
  }

  return {
    resolve,
    async ping(signal) {
      const response = await ask({
        method: "GET",
        url: `${origin}/v2/`,
        accept: [200],
        doing: "log in at",
        on: domain,
        ...optional(signal),
      });
      await response.body?.cancel();
    },
    async openBlob(descriptor, offset, signal) {
      const response = await ask({
        method: "GET",
        url: `${base}/blobs/${descriptor.digest}`,
        headers: offset === 0 ? {} : { Range: `bytes=${offset}-` },
        accept: [200, 206],
        doing: "download the layer",
        on: `${name}@${descriptor.digest}`,
        ...optional(signal),
      });
      return { offset: response.status === 206 ? offset : 0, stream: response.body ?? new ReadableStream() };
    },
    hasBlob: (digest, signal) => exists(`${base}/blobs/${digest}`, "look for the layer", digest, signal),
    hasManifest: (digest, signal) => exists(`${base}/manifests/${digest}`, "look for the manifest", digest, signal),
    async mountBlob(digest, from, signal) {
      const response = await ask({
        method: "POST",
        url: `${base}/blobs/uploads/?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`,
        accept: [201, 202],
        doing: "mount the layer",
        ...optional(signal),
      });
      if (response.status === 201) return true;
      await cancelUpload(response, signal);
      return false;
    },
    putBlob,
    async putManifest(target, mediaType, bytes, signal) {
      const response = await ask({
        method: "PUT",
        url: `${base}/manifests/${target}`,
        headers: { "Content-Type": mediaType },
        body: () => bytes,
        accept: [201, 202],
        doing: "push the manifest",
        on: `${name}:${target}`,
        ...optional(signal),
      });
      const answered = response.headers.get("docker-content-digest");
      await response.body?.cancel();
      if (answered !== null && isDigest(answered) && answered !== digestOf(bytes, digestAlgorithm(answered))) {
        throw corrupt(`${name}:${target}`, `the registry kept other bytes (${answered})`);
      }
    },
    tags,
  };

  async function exists(url: string, doing: string, on: string, signal: AbortSignal | undefined): Promise<boolean> {
    const response = await ask({
      method: "HEAD",
      url,
      headers: { Accept: accepted },
      accept: [200, 404],
      doing,
      on,
      ...optional(signal),
    });
    return response.status === 200;
  }

  async function cancelUpload(response: Response, signal: AbortSignal | undefined): Promise<void> {
    const location = response.headers.get("location");
    if (location === null) return;
    const url = new URL(location, base).href;
    const cancelled = await ask({
      method: "DELETE",
      url,
      accept: [202, 204, 404, 405],
      doing: "end the upload",
      ...optional(signal),
    });
    await cancelled.body?.cancel();
  }

  /** Monolithic: POST for a place, PUT with the bytes. A broken PUT is started anew from its beginning. */
  async function putBlob(
    descriptor: Descriptor,
    open: () => ReadableStream<Uint8Array>,
    put: { signal?: AbortSignal; onProgress?: (bytes: number) => void } = {},
  ) {
    const on = `${name}@${descriptor.digest}`;
    const started = await ask({
      method: "POST",
      url: `${base}/blobs/uploads/`,
      accept: [202],
      doing: "begin the upload",
      on,
      ...optional(put.signal),
    });
    const location = started.headers.get("location");
    await started.body?.cancel();
    if (location === null) throw corrupt(on, "the registry names no place for the upload");
    const url = new URL(location, base);
    url.searchParams.set("digest", descriptor.digest);
    const finished = await ask({
      method: "PUT",
      url: url.href,
      headers: { "Content-Type": "application/octet-stream", "Content-Length": `${descriptor.size}` },
      body: () => counted(open(), put.onProgress),
      accept: [201, 204],
      doing: "upload the layer",
      on,
      ...optional(put.signal),
    });
    await finished.body?.cancel();
  }

  async function tags(signal?: AbortSignal): Promise<string[]> {
    const found: string[] = [];
    let url: string | undefined = `${base}/tags/list?n=1000`;
    while (url !== undefined) {
      const response: Response = await ask({
        method: "GET",
        url,
        accept: [200],
        doing: "list the tags",
        ...optional(signal),
      });
      const body = JSON.parse(Buffer.from(await readDocument(response, name)).toString("utf8")) as {
        tags?: string[] | null;
      };
      found.push(...(body.tags ?? []));
      const next = /<([^>]+)>;\s*rel="?next"?/.exec(response.headers.get("link") ?? "")?.[1];
      url = next === undefined ? undefined : new URL(next, base).href;
    }
    return found;
  }
}

/** A document whole, but never more than the limit (CVE-2020-1702). */
async function readDocument(response: Response, on: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? new ReadableStream<Uint8Array>()) {
    size += chunk.length;
    if (size > documentLimit)
      throw new GantryError("invalid", {
        doing: "read the manifest",
        on,
        because: `it is over ${documentLimit} bytes`,
      });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function counted(
  stream: ReadableStream<Uint8Array>,
  onProgress: ((bytes: number) => void) | undefined,
): ReadableStream<Uint8Array> {
  if (onProgress === undefined) return stream;
  let sent = 0;
  return stream.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        sent += chunk.length;
        onProgress(sent);
        controller.enqueue(chunk);
      },
    }),
  );
}

function corrupt(on: string, because: string): GantryError {
  return new GantryError("corrupt", { doing: "exchange with the registry", on, because });
}

export type { Credentials };
