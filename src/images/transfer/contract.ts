/**
 * Images between registries and the store. A pull verifies while it streams and goes on where an earlier one stopped;
 * a push sends only what the other side lacks.
 */
import type { Descriptor, Platform } from "#formats/oci/contract.ts";
import type { Credentials } from "#images/distribution/contract.ts";
import type { ImageRecord, ResolvedImage } from "#images/store/contract.ts";

export interface LayerProgress {
  /** The layer's (or document's) descriptor. */
  readonly descriptor: Descriptor;
  readonly phase: "waiting" | "downloading" | "unpacking" | "done" | "here" | "uploading" | "mounted" | "uploaded";
  /** Bytes so far of `descriptor.size`. */
  readonly bytes?: number;
}

export interface PullOptions {
  /** Default: this machine's. */
  readonly platform?: Platform;
  readonly credentials?: Credentials;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: LayerProgress) => void;
  /** Unpack too (default), or keep the blobs only. */
  readonly unpack?: boolean;
}

export interface Pulled {
  readonly record: ImageRecord;
  readonly image: ResolvedImage;
  /** Whether the name stood for something else before. */
  readonly updated: boolean;
}

export interface PushOptions {
  readonly credentials?: Credentials;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: LayerProgress) => void;
}

export interface Transfer {
  /**
   * With a tag and a digest, the digest decides and must be in that repository; the image is then named by it alone.
   * The name moves when all is here, and unpacked; what a failed pull fetched is gone on with by the next.
   * Errors: those of distribution; "not-found" no manifest for the platform; "unsupported" layers that live elsewhere;
   * "cancelled"; those of unpacking.
   */
  pull(reference: string, options?: PullOptions): Promise<Pulled>;
  /**
   * Sends the image that has this name and gives what was named there: the image's target, or the one manifest of it
   * that is here when only one platform was pulled. Errors: those of distribution; "not-found" no such image, or parts
   * missing; "cancelled".
   */
  push(reference: string, options?: PushOptions): Promise<Descriptor>;
}
