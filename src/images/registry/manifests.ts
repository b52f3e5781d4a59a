import { GantryError } from "#base/core/errors.ts";
import { type Descriptor, type Digest, documentLimit, mediaTypes } from "#formats/oci/contract.ts";
import { digestAlgorithm, digestOf, isDigest } from "#formats/oci/digest.ts";
import { childrenOf, isForeignLayer, isIndexType, isManifestType, parseDocument } from "#formats/oci/document.ts";
import type { BlobStore } from "#images/store/contract.ts";
import { refuse } from "./answers.ts";
import type { Catalogue, LinkedManifest } from "./contract.ts";

const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/** Manifests and tags of the specification. `deletes` false refuses DELETE with 405 (CVE-2026-41888). */
export class Manifests {
  readonly #blobs: BlobStore;
  readonly #catalogue: Catalogue;
  readonly #deletes: boolean;

  constructor(blobs: BlobStore, catalogue: Catalogue, deletes: boolean) {
    this.#blobs = blobs;
    this.#catalogue = catalogue;
    this.#deletes = deletes;
  }

  async get(repository: string, target: string, head: boolean): Promise<Response> {
    const digest = isDigest(target)
      ? target
      : tagPattern.test(target)
        ? this.#catalogue.tag(repository, target)
        : undefined;
    const manifest = digest === undefined ? undefined : this.#catalogue.manifest(repository, digest);
    if (manifest === undefined) return this.#unknown(repository, target);
    return new Response(head ? null : (this.#blobs.open(manifest.digest) as unknown as ReadableStream), {
      headers: {
        "Content-Type": manifest.mediaType,
        "Content-Length": `${manifest.size}`,
        "Docker-Content-Digest": manifest.digest,
        ETag: `"${manifest.digest}"`,
      },
    });
  }

  async put(repository: string, target: string, request: Request): Promise<Response> {
    const tag = isDigest(target) ? undefined : target;
    if (tag !== undefined && !tagPattern.test(tag))
      return refuse(400, "MANIFEST_INVALID", `"${target.slice(0, 140)}" is neither a tag nor a digest`);
    const bytes = await readBounded(request);
    if (bytes === undefined) return refuse(413, "MANIFEST_INVALID", `the manifest is over ${documentLimit} bytes`);
    const digest = digestOf(bytes, isDigest(target) ? digestAlgorithm(target) : "sha256");
    if (isDigest(target) && digest !== target)
      return refuse(400, "DIGEST_INVALID", `the manifest's digest is ${digest}`);
    const declared = (request.headers.get("content-type") ?? "").split(";", 1)[0]!.trim();
    const document = parseDocument(bytes, declared === "" ? {} : { mediaType: declared });
    const body = document.kind === "manifest" ? document.manifest : document.index;
    const children = childrenOf(document);
    const missing = children.find((child) => !this.#hasChild(repository, child));
    if (missing !== undefined)
      return refuse(404, "MANIFEST_BLOB_UNKNOWN", `${missing.digest} is not in this repository`);
    await this.#blobs.put(bytes, { digest });
    const artifactType =
      body.artifactType ?? (document.kind === "manifest" ? document.manifest.config.mediaType : undefined);
    const linked: LinkedManifest = {
      digest,
      mediaType: declared || body.mediaType || (document.kind === "manifest" ? mediaTypes.manifest : mediaTypes.index),
      size: bytes.length,
      ...(body.subject === undefined ? {} : { subject: body.subject.digest }),
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(body.annotations === undefined ? {} : { annotations: body.annotations }),
      children: children.map((child) => child.digest),
    };
    this.#catalogue.putManifest(repository, linked, tag);
    return new Response(null, {
      status: 201,
      headers: {
        Location: `/v2/${repository}/manifests/${digest}`,
        "Docker-Content-Digest": digest,
        ...(body.subject === undefined ? {} : { "OCI-Subject": body.subject.digest }),
      },
    });
  }

  delete(repository: string, target: string): Response {
    if (!this.#deletes) return refuse(405, "UNSUPPORTED", "this registry does not delete");
    const gone = isDigest(target)
      ? this.#catalogue.deleteManifest(repository, target)
      : this.#catalogue.deleteTag(repository, target);
    return gone ? new Response(null, { status: 202 }) : this.#unknown(repository, target);
  }

  referrers(repository: string, subject: Digest, artifactType: string | null): Response {
    const all = this.#catalogue.referrers(repository, subject);
    const wanted = artifactType === null ? all : all.filter((item) => item.artifactType === artifactType);
    const index = {
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      manifests: wanted.map(({ digest, mediaType, size, artifactType: type, annotations }) => ({
        mediaType,
        digest,
        size,
        ...(type === undefined ? {} : { artifactType: type }),
        ...(annotations === undefined ? {} : { annotations }),
      })),
    };
    return new Response(JSON.stringify(index), {
      headers: {
        "Content-Type": mediaTypes.index,
        ...(artifactType === null ? {} : { "OCI-Filters-Applied": "artifactType" }),
      },
    });
  }

  #hasChild(repository: string, child: Descriptor): boolean {
    if (isForeignLayer(child.mediaType)) return true;
    if (isManifestType(child.mediaType) || isIndexType(child.mediaType))
      return this.#catalogue.manifest(repository, child.digest) !== undefined;
    return this.#catalogue.hasBlob(repository, child.digest) && this.#blobs.has(child.digest);
  }

  #unknown(repository: string, target: string): Response {
    const code = this.#catalogue.hasRepository(repository) ? "MANIFEST_UNKNOWN" : "NAME_UNKNOWN";
    return refuse(404, code, `there is no manifest ${target.slice(0, 140)} in ${repository}`);
  }
}

async function readBounded(request: Request): Promise<Uint8Array | undefined> {
  if (Number(request.headers.get("content-length") ?? 0) > documentLimit) return undefined;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.length;
    if (size > documentLimit) return undefined;
    chunks.push(chunk);
  }
  if (size === 0) throw new GantryError("invalid", { doing: "read the manifest", because: "it is empty" });
  return Buffer.concat(chunks);
}
