import { GantryError } from "#base/core/errors.ts";
import { isDigest } from "#formats/oci/digest.ts";
import type { BlobProvider } from "#images/store/contract.ts";
import { refuse } from "./answers.ts";
import { requestedRange } from "./content-range.ts";
import type { Catalogue, RegistryBytes } from "./contract.ts";

/** Reading and deleting blobs (distribution-spec, "Pulling blobs", "Deleting Blobs"). */
export class Blobs {
  readonly #blobs: BlobProvider;
  readonly #catalogue: Catalogue;
  readonly #send: RegistryBytes["send"];
  readonly #deletes: boolean;

  constructor(blobs: BlobProvider, catalogue: Catalogue, send: RegistryBytes["send"], deletes: boolean) {
    this.#blobs = blobs;
    this.#send = send;
    this.#catalogue = catalogue;
    this.#deletes = deletes;
  }

  get(repository: string, digest: string, request: Request): Response {
    if (!isDigest(digest)) return noDigest(digest);
    // Present in the store is not enough: it must have been pushed to this repository (CVE-2026-35172).
    const info = this.#catalogue.hasBlob(repository, digest) ? this.#blobs.stat(digest) : undefined;
    if (info === undefined) return unknown(repository, digest);
    const { size } = info;
    const headers: Record<string, string> = {
      "Content-Type": "application/octet-stream",
      "Docker-Content-Digest": digest,
      "Accept-Ranges": "bytes",
      ETag: `"${digest}"`,
    };
    if (request.method === "HEAD") {
      this.#catalogue.touchBlob(repository, digest);
      return new Response(null, { headers: { ...headers, "Content-Length": `${size}` } });
    }
    const range = requestedRange(request.headers.get("range"), size);
    if (range === "unsatisfiable") {
      const answer = refuse(416, "SIZE_INVALID", `the blob has ${size} bytes`);
      answer.headers.set("Content-Range", `bytes */${size}`);
      return answer;
    }
    const path = this.#blobs.path(digest);
    if (Bun.file(path).size !== size) {
      throw new GantryError("corrupt", {
        doing: "serve the blob",
        on: digest,
        because: "its file has another size than its record",
        next: "Run `gantry check --repair` on the registry's machine, then push it again.",
      });
    }
    if (range === undefined) return this.#send(path, undefined, { headers });
    headers["Content-Range"] = `bytes ${range.start}-${range.end - 1}/${size}`;
    return this.#send(path, range, { status: 206, headers });
  }

  delete(repository: string, digest: string): Response {
    if (!this.#deletes) return refuse(405, "UNSUPPORTED", "this registry does not delete");
    if (!isDigest(digest)) return noDigest(digest);
    return this.#catalogue.unlinkBlob(repository, digest)
      ? new Response(null, { status: 202 })
      : unknown(repository, digest);
  }
}

function noDigest(text: string): Response {
  return refuse(400, "DIGEST_INVALID", `"${text.slice(0, 140)}" is no digest`);
}

function unknown(repository: string, digest: string): Response {
  return refuse(404, "BLOB_UNKNOWN", `there is no blob ${digest} in ${repository}`);
}
