/**
 * The OCI distribution protocol as a client: resolve a name, get and put bytes as streams. It knows no store; what
 * it reads is verified by whoever keeps it, except documents, which are checked here because they are read whole.
 *
 * Errors of every call: "not-found" (404), "unauthenticated" (401 after credentials were tried), "denied" (403, or a
 * registry that sends us somewhere less safe), "unavailable" (no answer, silence for a minute, a connection that broke,
 * 5xx and 429 after retries), "corrupt" (bytes that are not what their digest says), "invalid" (a document that is
 * none), "unsupported" (a document that is no image's).
 */
import type { Descriptor, Digest, Reference } from "#formats/oci/contract.ts";

export interface Credentials {
  readonly username?: string;
  readonly password?: string;
  /** A refresh token instead of a password. */
  readonly identityToken?: string;
}

export interface ResolvedDocument {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

export interface BlobStream {
  /** Where the stream really begins: 0 when the registry does not know ranges. */
  readonly offset: number;
  readonly stream: AsyncIterable<Uint8Array>;
}

/** One repository at one registry. */
export interface Repository {
  /** GET /v2/: whether the registry takes these credentials. */
  ping(signal?: AbortSignal): Promise<void>;
  /** A manifest or index by tag or digest, its digest and media type checked. */
  resolve(target: string, signal?: AbortSignal): Promise<ResolvedDocument>;
  /** The stream fails with "unavailable" when it ends before the descriptor's size. */
  openBlob(descriptor: Descriptor, offset: number, signal?: AbortSignal): Promise<BlobStream>;
  hasBlob(digest: Digest, signal?: AbortSignal): Promise<boolean>;
  /** True when the registry took the blob over from `from`, a repository of its own. */
  mountBlob(digest: Digest, from: string, signal?: AbortSignal): Promise<boolean>;
  /** Whole and in one go; `open` is called for each try. */
  putBlob(descriptor: Descriptor, open: () => ReadableStream<Uint8Array>, options?: PutOptions): Promise<void>;
  hasManifest(digest: Digest, signal?: AbortSignal): Promise<boolean>;
  putManifest(target: string, mediaType: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void>;
  tags(signal?: AbortSignal): Promise<string[]>;
}

export interface PutOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (bytes: number) => void;
}

export interface RepositoryOptions {
  readonly reference: Reference;
  readonly credentials?: Credentials;
  /** What the work needs: "pull", or "pull" and "push". */
  readonly actions: readonly ("pull" | "push")[];
  /** Paths of other repositories there that blobs may be mounted from. */
  readonly mountFrom?: readonly string[];
  /** The address that leads to the machine's loopback, where this process's own is another. */
  readonly machineLoopback?: string;
}
