import { isKind } from "#base/core/errors.ts";
import type { Digest } from "#formats/oci/contract.ts";
import { digestAlgorithm, isDigest } from "#formats/oci/digest.ts";
import type { Store } from "#images/store/contract.ts";
import { refuse } from "./answers.ts";
import { contentRange } from "./content-range.ts";
import type { Catalogue } from "./contract.ts";
import type { OpenUploads, Upload } from "./open-uploads.ts";

/** Repositories asked about a mount that names none. */
const mountCandidates = 10;

/** Blob uploads (distribution-spec, "Pushing blobs"): whole, in chunks, or mounted from another repository. */
export class Uploads {
  readonly #open: OpenUploads;
  readonly #store: Pick<Store, "blobs" | "leases">;
  readonly #catalogue: Catalogue;

  constructor(open: OpenUploads, store: Pick<Store, "blobs" | "leases">, catalogue: Catalogue) {
    this.#open = open;
    this.#store = store;
    this.#catalogue = catalogue;
  }

  /** POST: a new upload; with ?digest the whole blob at once; with ?mount a link when the blob is readable there. */
  async begin(
    repository: string,
    url: URL,
    request: Request,
    readable: (from: string) => Promise<boolean>,
  ): Promise<Response> {
    const mount = url.searchParams.get("mount");
    if (mount !== null && isDigest(mount) && (await this.#mount(repository, mount, url, readable)))
      return created(repository, mount);
    const algorithm = url.searchParams.get("digest-algorithm") ?? "sha256";
    if (algorithm !== "sha256" && algorithm !== "sha512")
      return refuse(400, "DIGEST_INVALID", `"${algorithm.slice(0, 20)}" is not served, only sha256 and sha512`);
    const digest = url.searchParams.get("digest");
    if (digest === null) return this.#state(202, this.#open.begin(repository, algorithm, true), 0);
    if (!isDigest(digest)) return noDigest(digest);
    const upload = this.#open.begin(repository, digestAlgorithm(digest), false);
    const response = await this.#finish(upload, digest, request);
    if (response.status !== 201) await this.#open.drop(upload);
    return response;
  }

  async append(repository: string, id: string, request: Request): Promise<Response> {
    const upload = this.#open.find(repository, id);
    if (upload === undefined) return unknown(id);
    const written = await this.#write(upload, request);
    return written instanceof Response ? written : this.#state(202, upload, written);
  }

  async finish(repository: string, id: string, url: URL, request: Request): Promise<Response> {
    const digest = url.searchParams.get("digest") ?? "";
    if (!isDigest(digest)) return noDigest(digest);
    const upload = this.#open.find(repository, id);
    return upload === undefined ? unknown(id) : await this.#finish(upload, digest, request);
  }

  async status(repository: string, id: string): Promise<Response> {
    const upload = this.#open.find(repository, id);
    if (upload === undefined) return unknown(id);
    this.#open.touch(upload);
    return this.#state(204, upload, (await this.#open.file(upload)).offset);
  }

  async cancel(repository: string, id: string): Promise<Response> {
    const upload = this.#open.find(repository, id);
    if (upload === undefined) return unknown(id);
    await this.#open.drop(upload);
    return new Response(null, { status: 204 });
  }

  async #mount(
    repository: string,
    digest: Digest,
    url: URL,
    readable: (from: string) => Promise<boolean>,
  ): Promise<boolean> {
    const from = url.searchParams.get("from");
    for (const holder of from === null ? this.#catalogue.holders(digest, mountCandidates) : [from]) {
      if (!(await readable(holder))) continue;
      // Nothing waits from here on: what is there now is still there when it is linked.
      if (!this.#catalogue.hasBlob(holder, digest) || !this.#store.blobs.has(digest)) continue;
      this.#catalogue.linkBlob(repository, digest);
      this.#catalogue.touchBlob(repository, digest);
      return true;
    }
    return false;
  }

  async #finish(upload: Upload, digest: Digest, request: Request): Promise<Response> {
    const written = await this.#write(upload, request, digest);
    return written instanceof Response ? written : created(upload.repository, digest);
  }

  /** Takes the request's bytes; with a digest also ends the upload. Gives the bytes here, or the refusal. */
  async #write(upload: Upload, request: Request, digest?: Digest): Promise<Response | number> {
    if (upload.sender !== undefined) {
      if (!this.#open.isStalled(upload.sender)) return busy();
      upload.sender.stop();
      await upload.sender.ended;
      if (upload.sender !== undefined) return busy();
    }
    const ended = Promise.withResolvers<void>();
    const stop = new AbortController();
    upload.sender = { stop: () => stop.abort(), ended: ended.promise, heard: 0 };
    this.#open.heard(upload);
    try {
      const algorithm = digest === undefined ? upload.algorithm : digestAlgorithm(digest);
      const file = await this.#open.file(upload, algorithm);
      const range = contentRange(request.headers.get("content-range"));
      if (range === "invalid" || (range !== undefined && range.start !== file.offset))
        return this.#outOfOrder(upload, file.offset);
      const refused = await file.receive(request, range, stop.signal, () => this.#open.heard(upload));
      const { offset } = file;
      return refused ?? (digest === undefined ? undefined : await this.#commit(upload, digest)) ?? offset;
    } catch (error) {
      // The file's end decides what is here; the next request reads it.
      await this.#open.close(upload);
      throw error;
    } finally {
      this.#open.released(upload);
      ended.resolve();
    }
  }

  async #commit(upload: Upload, digest: Digest): Promise<Response | undefined> {
    using lease = this.#store.leases.begin(`registry: push to ${upload.repository}`);
    lease.add({ blob: digest });
    const file = await this.#open.file(upload, digestAlgorithm(digest));
    try {
      await file.commit(digest);
    } catch (error) {
      if (!isKind(error, "corrupt")) throw error;
      this.#open.forget(upload);
      if (upload.lasting) this.#catalogue.endUpload(upload.id);
      return refuse(400, "DIGEST_INVALID", `the bytes are not ${digest}`);
    }
    this.#catalogue.finishUpload(upload.id, upload.repository, digest);
    this.#open.forget(upload);
    return undefined;
  }

  #outOfOrder(upload: Upload, offset: number): Response {
    const response = refuse(416, "BLOB_UPLOAD_INVALID", `the next byte is ${offset}`);
    for (const [name, value] of this.#state(416, upload, offset).headers) response.headers.set(name, value);
    return response;
  }

  #state(status: number, upload: Upload, offset: number): Response {
    return new Response(null, {
      status,
      headers: {
        Location: `/v2/${upload.repository}/blobs/uploads/${upload.id}`,
        // The specification has no word for nothing; clients read 0-0 as it (as the distribution project sends it).
        Range: `0-${Math.max(0, offset - 1)}`,
        "Docker-Upload-UUID": upload.id,
      },
    });
  }
}

function created(repository: string, digest: Digest): Response {
  const headers = { Location: `/v2/${repository}/blobs/${digest}`, "Docker-Content-Digest": digest };
  return new Response(null, { status: 201, headers });
}

function busy(): Response {
  return refuse(409, "BLOB_UPLOAD_INVALID", "another request sends to this upload");
}

function noDigest(text: string): Response {
  return refuse(400, "DIGEST_INVALID", `"${text.slice(0, 140)}" is no digest`);
}

function unknown(id: string): Response {
  return refuse(404, "BLOB_UPLOAD_UNKNOWN", `there is no upload ${id.slice(0, 64)}`);
}
