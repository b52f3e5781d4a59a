import { type Clock, systemClock } from "#base/core/clock.ts";
import { GantryError } from "#base/core/errors.ts";
import { type Descriptor, documentLimit, mediaTypes } from "#formats/oci/contract.ts";
import { digestAlgorithm, digestOf, isDigest } from "#formats/oci/digest.ts";
import { isIndexType, isManifestType, parseDocument } from "#formats/oci/document.ts";
import { registryOrigin } from "./address.ts";
import { Authorisation } from "./authorisation.ts";
import { openBlob } from "./blob-stream.ts";
import type { Repository, RepositoryOptions, ResolvedDocument } from "./contract.ts";
import { exchange } from "./exchange.ts";
import { listTags } from "./tags.ts";
import { type Ask, upload, uploadUrl } from "./uploads.ts";

const accepted = [mediaTypes.manifest, mediaTypes.index, mediaTypes.dockerManifest, mediaTypes.dockerManifestList].join(
  ", ",
);

export function openRepository(options: RepositoryOptions, clock: Clock = systemClock): Repository {
  const { domain, path } = options.reference;
  const origin = registryOrigin(domain);
  const name = `${domain}/${path}`;
  const base = `${origin}/v2/${path}`;
  const authorisation = new Authorisation({
    origin,
    credentials: options.credentials,
    scopes: [
      `repository:${path}:${options.actions.join(",")}`,
      ...(options.mountFrom ?? []).map((from) => `repository:${from}:pull`),
    ],
    clock,
    machineLoopback: options.machineLoopback,
  });
  const ask: Ask = (request) => exchange({ on: name, ...request }, authorisation, clock);
  const optional = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { signal });

  async function resolve(target: string, signal?: AbortSignal): Promise<ResolvedDocument> {
    const on = isDigest(target) ? `${name}@${target}` : `${name}:${target}`;
    const doing = "read the manifest";
    const url = `${base}/manifests/${target}`;
    const answer = await ask({
      method: "GET",
      url,
      headers: { Accept: accepted },
      accept: [200],
      doing,
      on,
      ...optional(signal),
    });
    const bytes = await answer.bytes(documentLimit, signal);
    const announced = answer.headers.get("docker-content-digest");
    const expected = isDigest(target) ? target : isDigest(announced) ? announced : undefined;
    const digest = digestOf(bytes, isDigest(target) ? digestAlgorithm(target) : "sha256");
    if (expected !== undefined && digestOf(bytes, digestAlgorithm(expected)) !== expected)
      throw new GantryError("corrupt", { doing, on, because: `its bytes are ${digest}, not ${expected}` });
    const mediaType = (answer.headers.get("content-type") ?? "").split(";", 1)[0]!.trim();
    if (!isManifestType(mediaType) && !isIndexType(mediaType)) {
      const shown = mediaType.slice(0, 100);
      throw new GantryError("unsupported", { doing, on, because: `its media type "${shown}" is no image's` });
    }
    parseDocument(bytes, { mediaType });
    return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
  }

  async function exists(kind: "blobs" | "manifests", digest: string, signal: AbortSignal | undefined) {
    const answer = await ask({
      method: "HEAD",
      url: `${base}/${kind}/${digest}`,
      headers: { Accept: accepted },
      accept: [200, 404],
      doing: kind === "blobs" ? "look for the layer" : "look for the manifest",
      on: `${name}@${digest}`,
      ...optional(signal),
    });
    await answer.drop();
    return answer.status === 200;
  }

  return {
    resolve,
    async ping(signal) {
      const url = `${origin}/v2/`;
      const answer = await ask({
        method: "GET",
        url,
        accept: [200],
        doing: "log in at",
        on: domain,
        ...optional(signal),
      });
      await answer.drop();
    },
    openBlob: (descriptor, offset, signal) =>
      openBlob(ask, base, `${name}@${descriptor.digest}`, descriptor, offset, signal),
    hasBlob: (digest, signal) => exists("blobs", digest, signal),
    hasManifest: (digest, signal) => exists("manifests", digest, signal),
    async mountBlob(digest, from, signal) {
      const on = `${name}@${digest}`;
      const query = new URLSearchParams({ mount: digest, from });
      const answer = await ask({
        method: "POST",
        url: `${base}/blobs/uploads/?${query}`,
        accept: [201, 202],
        doing: "mount the layer",
        on,
        ...optional(signal),
      });
      await answer.drop();
      if (answer.status === 201) return true;
      const url = uploadUrl(answer, on).href;
      const accept = [200, 202, 204, 404, 405];
      const cancelled = await ask({ method: "DELETE", url, accept, doing: "end the upload", on, ...optional(signal) });
      await cancelled.drop();
      return false;
    },
    putBlob: (descriptor: Descriptor, open, put = {}) =>
      upload({ ask, clock, base, on: `${name}@${descriptor.digest}` }, descriptor, open, put),
    async putManifest(target, mediaType, bytes, signal) {
      const on = isDigest(target) ? `${name}@${target}` : `${name}:${target}`;
      const doing = "push the manifest";
      const answer = await ask({
        method: "PUT",
        url: `${base}/manifests/${target}`,
        headers: { "Content-Type": mediaType },
        body: () => bytes,
        accept: [200, 201, 202],
        doing,
        on,
        ...optional(signal),
      });
      await answer.drop();
      const kept = answer.headers.get("docker-content-digest");
      if (isDigest(kept) && kept !== digestOf(bytes, digestAlgorithm(kept)))
        throw new GantryError("corrupt", { doing, on, because: `the registry kept other bytes (${kept})` });
    },
    tags: (signal) => listTags(ask, base, name, signal),
  };
}
