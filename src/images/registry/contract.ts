/**
 * A registry on the store (OCI distribution-spec 1.1): `fetch` answers one request, whoever listens. What was pushed
 * stays until it is deleted: every blob and manifest is linked to the repositories it was pushed to and pinned there,
 * and a link is what makes it readable, so one repository's content is never read through another.
 */
import type { Digest, DigestAlgorithm } from "#formats/oci/contract.ts";
import type { BlobInfo } from "#images/store/contract.ts";
import type { ByteRange } from "./content-range.ts";

/** Disposed it lets go of uploads in flight; another one on the same store and database goes on with them. */
export interface Registry extends AsyncDisposable {
  /** Never throws; every error is an answer of the specification's form. */
  fetch(request: Request): Promise<Response>;
}

/** Who asks; the default lets everybody in, as a registry on loopback does. */
export interface Access {
  /** Undefined: allowed. A response: the refusal or the challenge. `repository` is undefined for the whole registry. */
  check(
    request: Request,
    repository: string | undefined,
    action: "pull" | "push" | "delete",
  ): Promise<Response | undefined>;
}

/**
 * Where an upload's bytes are received, hashed and written and a blob's are sent: in the thread that decides, or in a
 * Worker that has the connections, so that the engine's event loop never touches them.
 */
export interface RegistryBytes {
  /** The file of `ref`, made or opened where its bytes end. Error "conflict": it is open. */
  open(ref: string, algorithm: DigestAlgorithm): Promise<UploadFile>;
  /** An answer whose body is the file, or a part of it. */
  send(path: string, range: ByteRange | undefined, init: ResponseInit): Response;
}

/** Disposing it leaves the bytes for the next `open`. */
export interface UploadFile extends AsyncDisposable {
  /** Bytes here already. */
  readonly offset: number;
  /**
   * The request's body, never more than `range` announced; what arrived is kept whatever happens. Gives the refusal
   * when the body is not as announced. Error "exhausted": the disk is full.
   */
  receive(
    request: Request,
    range: ByteRange | undefined,
    stop: AbortSignal,
    onBytes: () => void,
  ): Promise<Response | undefined>;
  /** Makes it a blob. Error "corrupt": it is another; the bytes are gone then. */
  commit(digest: Digest): Promise<BlobInfo>;
  /** Forgets the bytes. */
  abandon(): void | Promise<void>;
}

/** What the registry remembers beside the store: names, links, tags, referrers, uploads. All calls are synchronous. */
export interface Catalogue {
  /** Sorted, after `last`, at most `limit`. */
  repositories(limit: number, last: string | undefined): string[];
  hasRepository(repository: string): boolean;
  /** Sorted by bytes, after `last`, at most `limit`. */
  tags(repository: string, limit: number, last: string | undefined): string[];
  tag(repository: string, tag: string): Digest | undefined;
  manifest(repository: string, digest: Digest): LinkedManifest | undefined;
  hasBlob(repository: string, digest: Digest): boolean;
  /** Repositories that have the blob, at most `limit`. */
  holders(digest: Digest, limit: number): string[];
  /** Someone was told that the blob is here and may be about to name it: it outlives its last manifest by an hour. */
  touchBlob(repository: string, digest: Digest): void;
  linkBlob(repository: string, digest: Digest): void;
  unlinkBlob(repository: string, digest: Digest): boolean;
  /** Links the manifest, and the tag when one is given, in one transaction. */
  putManifest(repository: string, manifest: LinkedManifest, tag: string | undefined): void;
  /** With its tags, and with the blobs that only it named. */
  deleteManifest(repository: string, digest: Digest): boolean;
  deleteTag(repository: string, tag: string): boolean;
  /** Sorted by digest, after `last`. */
  referrers(repository: string, subject: Digest, last: string | undefined): LinkedManifest[];
  uploads(): { readonly id: string; readonly repository: string }[];
  beginUpload(id: string, repository: string): void;
  endUpload(id: string): void;
  /** The upload's end and the blob's link in one transaction. */
  finishUpload(id: string, repository: string, digest: Digest): void;
}

export interface LinkedManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  readonly subject?: Digest;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** The blobs it names in this repository. */
  readonly blobs: readonly Digest[];
}
