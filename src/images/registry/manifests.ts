import { GantryError } from "#base/core/errors.ts";
import { type Descriptor, type Document, documentLimit, mediaTypes } from "#formats/oci/contract.ts";
import { digestAlgorithm, digestOf, isDigest } from "#formats/oci/digest.ts";
import { childrenOf, isForeignLayer, isIndexType, isManifestType, parseDocument } from "#formats/oci/document.ts";
import type { Store } from "#images/store/contract.ts";
import { refuse } from "./answers.ts";
import type { Catalogue, LinkedManifest } from "./contract.ts";

const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/** Manifests and tags of the specification. `deletes` false refuses DELETE with 405 (CVE-2026-41888). */
export class Manifests {
  readonly #store: Pick<Store, "blobs" | "leases">;
  readonly #catalogue: Catalogue;
  readonly #deletes: boolean;

  constructor(store: Pick<Store, "blobs" | "leases">, catalogue: Catalogue, deletes: boolean) {
    this.#store = store;
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
    return new Response(head ? null : await this.#store.blobs.read(manifest.digest), {
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
    if (tag !== undefined && !tagPattern.test(tag)) {
      const code = tag.includes(":") ? "DIGEST_INVALID" : "MANIFEST_INVALID";
      return refuse(400, code, `"${target.slice(0, 140)}" is neither a tag nor a digest`);
    }
    const bytes = await readBounded(request);
    if (bytes === undefined) return refuse(413, "MANIFEST_INVALID", `the manifest is over ${documentLimit} bytes`);
    const digest = digestOf(bytes, isDigest(target) ? digestAlgorithm(target) : "sha256");
    if (isDigest(target) && digest !== target)
      return refuse(400, "DIGEST_INVALID", `the manifest's digest is ${digest}`);
    const declared = (request.headers.get("content-type") ?? "").split(";", 1)[0]!.trim();
    const document = parseDocument(bytes, declared === "" ? {} : { mediaType: declared });
    const linked = linkedManifest(document, declared, digest, bytes.length);
    using lease = this.#store.leases.begin(`registry: push ${repository}`);
    lease.add({ blob: digest });
    await this.#store.blobs.put(bytes, { digest });
    // From here to the link nothing waits, so what is here now is still here when the manifest is.
    const missing = childrenOf(document).find((child) => !this.#hasChild(repository, child));
    if (missing !== undefined)
      return refuse(404, "MANIFEST_BLOB_UNKNOWN", `${missing.digest} is not in this repository`);
    this.#catalogue.putManifest(repository, linked, tag);
    return new Response(null, {
      status: 201,
      headers: {
        Location: `/v2/${repository}/manifests/${digest}`,
        "Docker-Content-Digest": digest,
        ...(linked.subject === undefined ? {} : { "OCI-Subject": linked.subject }),
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

  #hasChild(repository: string, child: Descriptor): boolean {
    if (isForeignLayer(child.mediaType)) return true;
    if (isDocument(child)) return this.#catalogue.manifest(repository, child.digest) !== undefined;
    return this.#catalogue.hasBlob(repository, child.digest) && this.#store.blobs.has(child.digest);
  }

  #unknown(repository: string, target: string): Response {
    const code = this.#catalogue.hasRepository(repository) ? "MANIFEST_UNKNOWN" : "NAME_UNKNOWN";
    return refuse(404, code, `there is no manifest ${target.slice(0, 140)} in ${repository}`);
  }
}

function isDocument(descriptor: Descriptor): boolean {
  return isManifestType(descriptor.mediaType) || isIndexType(descriptor.mediaType);
}

function linkedManifest(
  document: Document,
  declared: string,
  digest: LinkedManifest["digest"],
  size: number,
): LinkedManifest {
  const body = document.kind === "manifest" ? document.manifest : document.index;
  // An image without a type of its own is listed under its config's (distribution-spec, "Listing Referrers").
  const artifactType = body.artifactType || (document.kind === "manifest" ? document.manifest.config.mediaType : "");
  const blobs = childrenOf(document).filter((child) => !isDocument(child) && !isForeignLayer(child.mediaType));
  return {
    digest,
    mediaType: declared || body.mediaType || (document.kind === "manifest" ? mediaTypes.manifest : mediaTypes.index),
    size,
    ...(body.subject === undefined ? {} : { subject: body.subject.digest }),
    ...(artifactType === "" ? {} : { artifactType }),
    ...(body.annotations === undefined ? {} : { annotations: body.annotations }),
    blobs: [...new Set(blobs.map((child) => child.digest))],
  };
}

/** At most 4 MiB, else undefined (CVE-2020-1702). */
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
