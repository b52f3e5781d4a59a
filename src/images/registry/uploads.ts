import { isKind } from "#base/core/errors.ts";
import type { Random } from "#base/core/random.ts";
import { isDigest } from "#formats/oci/digest.ts";
import type { BlobStore } from "#images/store/contract.ts";
import { refuse } from "./answers.ts";
import type { Catalogue } from "./contract.ts";

/** Upload ids are ours: hex only, so they are fit for any key. */
const idPattern = /^[0-9a-f]{32}$/;
const openLimit = 10_000;
const idle = 24 * 3600 * 1000;

interface Upload {
  readonly repository: string;
  offset: number;
  touched: number;
  /** One writer at a time. */
  busy: boolean;
}

/**
 * Blob uploads (distribution-spec, "Pushing blobs"). The bytes stand in the store's ingest area under the upload's id
 * and survive a restart; an id nobody has asked about since is found again by its bytes.
 */
export class Uploads {
  readonly #blobs: BlobStore;
  readonly #catalogue: Catalogue;
  readonly #random: Random;
  readonly #now: () => number;
  readonly #open = new Map<string, Upload>();

  constructor(blobs: BlobStore, catalogue: Catalogue, random: Random, now: () => number) {
    this.#blobs = blobs;
    this.#catalogue = catalogue;
    this.#random = random;
    this.#now = now;
  }

  /** POST: a new upload; with ?digest the whole blob at once; with ?mount a link when the blob is readable there. */
  async begin(
    repository: string,
    url: URL,
    request: Request,
    readable: (from: string) => Promise<boolean>,
  ): Promise<Response> {
    const mount = url.searchParams.get("mount");
    if (mount !== null && isDigest(mount)) {
      const from = url.searchParams.get("from");
      const known = from !== null && this.#catalogue.hasBlob(from, mount) && (await readable(from));
      if (known && this.#blobs.has(mount)) {
        this.#catalogue.linkBlob(repository, mount);
        return created(`/v2/${repository}/blobs/${mount}`, mount);
      }
    }
    this.#reap();
    if (this.#open.size >= openLimit) return refuse(429, "TOOMANYREQUESTS", "too many uploads are open");
    const id = this.#random.hex(16);
    this.#open.set(id, { repository, offset: 0, touched: this.#now(), busy: false });
    const digest = url.searchParams.get("digest");
    if (digest !== null) return await this.finish(repository, id, url, request);
    return this.#state(202, repository, id, 0);
  }

  async append(repository: string, id: string, request: Request): Promise<Response> {
    const upload = await this.#find(repository, id);
    if (upload === undefined) return unknown(id);
    if (upload.busy) return refuse(409, "BLOB_UPLOAD_INVALID", "another request writes to this upload");
    const range = /^(\d+)-(\d+)$/.exec(request.headers.get("content-range")?.replace(/^bytes[= ]/, "") ?? "");
    if (range !== null && Number(range[1]) !== upload.offset) return this.#outOfOrder(repository, id, upload);
    const length = Number(request.headers.get("content-length") ?? Number.NaN);
    if (range !== null && Number(range[2]) - Number(range[1]) + 1 !== length && !Number.isNaN(length)) {
      return refuse(416, "BLOB_UPLOAD_INVALID", "Content-Range and Content-Length disagree");
    }
    await this.#write(id, upload, request);
    return this.#state(202, repository, id, upload.offset);
  }

  async finish(repository: string, id: string, url: URL, request: Request): Promise<Response> {
    const digest = url.searchParams.get("digest") ?? "";
    if (!isDigest(digest)) return refuse(400, "DIGEST_INVALID", `"${digest}" is no digest`);
    const upload = await this.#find(repository, id);
    if (upload === undefined) return unknown(id);
    if (upload.busy) return refuse(409, "BLOB_UPLOAD_INVALID", "another request writes to this upload");
    const range = /^(\d+)-(\d+)$/.exec(request.headers.get("content-range")?.replace(/^bytes[= ]/, "") ?? "");
    if (range !== null && Number(range[1]) !== upload.offset) return this.#outOfOrder(repository, id, upload);
    await this.#write(id, upload, request);
    upload.busy = true;
    try {
      await using ingest = await this.#blobs.ingest(`upload ${id}`, { digest });
      await ingest.commit({ digest });
      this.#catalogue.linkBlob(repository, digest);
    } catch (error) {
      this.#open.delete(id);
      if (isKind(error, "corrupt")) return refuse(400, "DIGEST_INVALID", `the bytes are not ${digest}`);
      throw error;
    } finally {
      upload.busy = false;
    }
    this.#open.delete(id);
    return created(`/v2/${repository}/blobs/${digest}`, digest);
  }

  async status(repository: string, id: string): Promise<Response> {
    const upload = await this.#find(repository, id);
    return upload === undefined ? unknown(id) : this.#state(204, repository, id, upload.offset);
  }

  async cancel(repository: string, id: string): Promise<Response> {
    const upload = await this.#find(repository, id);
    if (upload === undefined) return unknown(id);
    await using ingest = await this.#blobs.ingest(`upload ${id}`);
    ingest.abandon();
    this.#open.delete(id);
    return new Response(null, { status: 204 });
  }

  async #write(id: string, upload: Upload, request: Request): Promise<void> {
    if (request.body === null) return;
    upload.busy = true;
    upload.touched = this.#now();
    try {
      await using ingest = await this.#blobs.ingest(`upload ${id}`);
      for await (const chunk of request.body) {
        ingest.write(chunk);
        upload.offset += chunk.length;
      }
    } finally {
      upload.busy = false;
      upload.touched = this.#now();
    }
  }

  async #find(repository: string, id: string): Promise<Upload | undefined> {
    if (!idPattern.test(id)) return undefined;
    const known = this.#open.get(id);
    if (known !== undefined) return known.repository === repository ? known : undefined;
    // After a restart only the bytes are left; an id is 128 random bits, so who knows it began it.
    await using ingest = await this.#blobs.ingest(`upload ${id}`);
    if (ingest.offset === 0) {
      ingest.abandon();
      return undefined;
    }
    const found = { repository, offset: ingest.offset, touched: this.#now(), busy: false };
    this.#open.set(id, found);
    return found;
  }

  #reap(): void {
    const before = this.#now() - idle;
    for (const [id, upload] of this.#open) if (!upload.busy && upload.touched < before) this.#open.delete(id);
  }

  #outOfOrder(repository: string, id: string, upload: Upload): Response {
    const { headers } = this.#state(416, repository, id, upload.offset);
    return refuse(416, "BLOB_UPLOAD_INVALID", `the next byte is ${upload.offset}`, Object.fromEntries(headers));
  }

  #state(status: number, repository: string, id: string, offset: number): Response {
    return new Response(null, {
      status,
      headers: {
        Location: `/v2/${repository}/blobs/uploads/${id}`,
        Range: `0-${Math.max(0, offset - 1)}`,
        "Docker-Upload-UUID": id,
        "OCI-Chunk-Min-Length": "1",
      },
    });
  }
}

function created(location: string, digest: string): Response {
  return new Response(null, { status: 201, headers: { Location: location, "Docker-Content-Digest": digest } });
}

function unknown(id: string): Response {
  return refuse(404, "BLOB_UPLOAD_UNKNOWN", `there is no upload ${id.slice(0, 64)}`);
}
