/**
 * Images as files: docker-archive (`docker save`), OCI layout, or both in one tar, as Docker 25 and later write them.
 * Everything read passes through the store's verified ingest; paths and digests from an archive name nothing until
 * they were checked.
 */
import type { ContainerConfig, Descriptor, Digest, Platform } from "#formats/oci/contract.ts";

export interface LoadedImage {
  /** Normalised names the archive gives it; may be empty. */
  readonly names: readonly string[];
  readonly target: Descriptor;
  /** Names that were another image's until now, with its ID. */
  readonly replaced?: ReadonlyMap<string, Digest>;
}

export interface LoadOptions {
  readonly signal?: AbortSignal;
  /** Keep only this platform's manifest of an index; default: all that the archive has. */
  readonly platform?: Platform;
  readonly onProgress?: (progress: LoadProgress) => void;
}

export interface LoadProgress {
  /** What is done now, in words. */
  readonly phase: "reading" | "unpacking" | "naming";
  /** Bytes read so far, before decompression: of the archive, or of `layer`. */
  readonly bytes: number;
  readonly layer?: { readonly diffId: Digest; readonly size: number };
}

export interface SaveOptions {
  readonly signal?: AbortSignal;
  readonly platform?: Platform;
}

export interface ImportOptions {
  /** Name to give, as the user wrote it; without one the image stays dangling. */
  readonly name?: string;
  /** Dockerfile-like lines: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, USER, VOLUME, WORKDIR, STOPSIGNAL, HEALTHCHECK, SHELL. */
  readonly changes?: readonly string[];
  /** Merged under `changes`. */
  readonly config?: ContainerConfig;
  readonly message?: string;
  readonly platform?: Platform;
  /** RFC 3339; default: now. */
  readonly created?: string;
  readonly signal?: AbortSignal;
}

export interface Archive {
  /**
   * Reads a tar (also gzip'd or zstd'd) in one pass, in any order of entries.
   * What this machine (or `platform`) would run is unpacked too.
   * Errors: "invalid" no image in it, an unsafe layer; "corrupt" truncated, wrong digest, missing blob, a layer that is
   * no whole tar; "unsupported" xz, bzip2; "exhausted".
   * On any error nothing is named; blobs already read are left to `collect`.
   */
  load(tar: ReadableStream<Uint8Array>, options?: LoadOptions): Promise<LoadedImage[]>;
  /**
   * One tar that is an OCI layout and a docker-archive at once. A repository without a tag means all its tags.
   * Errors: "not-found".
   */
  save(names: readonly string[], options?: SaveOptions): Promise<ReadableStream<Uint8Array>>;
  /** A root file system's tar as a one-layer image. */
  importRootfs(tar: ReadableStream<Uint8Array>, options?: ImportOptions): Promise<LoadedImage>;
}
