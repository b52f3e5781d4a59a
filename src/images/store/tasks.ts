/** Handles of the store's work in bulk Workers. Implemented in `bulk.ts`, which only a Worker loads. */
import { task } from "#base/system/pool/contract.ts";
import type { Digest } from "#formats/oci/contract.ts";

export interface UnpackArgs {
  /** The compressed layer's file, its digest and size, and what it must be uncompressed. */
  readonly blob: string;
  readonly digest: Digest;
  readonly size: number;
  readonly diffId: Digest;
  /** An empty folder that becomes the layer in overlay form. */
  readonly target: string;
  /** Folders of the parents' layers, nearest first; empty for a base layer. */
  readonly parents: readonly string[];
  /** Uncompressed bytes at most, holes of sparse files not counted. */
  readonly limit: number;
  /** The caller hashes the uncompressed blob itself, at the same time: its digest is its diff ID. */
  readonly hashedApart?: boolean;
}

export interface UnpackProgress {
  /** Compressed bytes read so far. */
  readonly bytes: number;
  readonly of: number;
  readonly layer: Digest;
}

export interface Unpacked {
  readonly bytes: number;
  readonly files: number;
  /** Xattrs left out because they are overlay's own or the host's labels. */
  readonly strippedXattrs: number;
}

export const unpackLayer = task<UnpackArgs, Unpacked>("images.unpack-layer");

/** An id as stored on this host (`host`) and as the layer must have it (`container`). */
export interface IdRange {
  readonly host: number;
  readonly container: number;
  readonly count: number;
}

export interface WriteLayerOptions {
  /** Seconds since 1970. Newer times become this; older ones stay, unless the path is exact. */
  readonly layerTime: number;
  /** Paths whose time becomes `layerTime` whatever it was, their children too ("" is everything). */
  readonly exact?: readonly string[];
  /** Paths that never reach the layer: stubs of build-time mounts. A folder left empty by this goes too when the stub made it. */
  readonly leaveOut?: readonly string[];
  /** Ids mapped back from a user namespace; without it ids stay. An id outside is an error. */
  readonly uids?: readonly IdRange[];
  readonly gids?: readonly IdRange[];
  /** Default gzip (format 1). */
  readonly compression?: "gzip" | "none";
}

export interface WriteLayerArgs extends WriteLayerOptions {
  readonly upper: string;
  /** Nearest first. */
  readonly lowers: readonly string[];
  readonly output: string;
}

export interface LayerBytes {
  readonly diffId: Digest;
  readonly digest: Digest;
  readonly size: number;
  readonly mediaType: string;
  /** Entries in the tar; 0 when the step changed nothing. */
  readonly entries: number;
  /** Sum of file sizes. */
  readonly contentBytes: number;
}

/** A layer blob that is in the store. */
export type WrittenLayer = LayerBytes;

export const writeLayer = task<WriteLayerArgs, LayerBytes>("images.write-layer");

export const hashFile = task<
  { readonly path: string; readonly algorithm: "sha256" | "sha512" },
  { digest: Digest; size: number }
>("images.hash-file");

/** Removes folders whole, whatever is in them. Missing is no error. */
export const removeTrees = task<{ readonly paths: readonly string[] }, { removed: number }>("images.remove-trees");

export const measureTree = task<{ readonly path: string }, { bytes: number; files: number }>("images.measure-tree");

/** Puts everything of the file system that holds `path` on disk (syncfs). */
export const syncTree = task<{ readonly path: string }, null>("images.sync-tree");

/** A tar in any compression as a layer in format 1. Errors: "corrupt" it is no tar; "unsupported" xz, bzip2. */
export const repackLayer = task<{ readonly input: string; readonly output: string }, LayerBytes>("images.repack-layer");
