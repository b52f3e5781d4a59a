/** Handles of the builder's work in Workers; `kernel.ts` and `bulk.ts` implement them. */
import { task } from "#base/system/pool/contract.ts";
import type { OverlayMountData } from "#images/store/contract.ts";

export interface MountRootArgs {
  readonly data: OverlayMountData;
  readonly target: string;
  /** A folder that lies below all layers: what is in it shows where no layer has anything, and reaches none. */
  readonly bottom?: string;
}

/** Mounts a root file system. */
export const mountRoot = task<MountRootArgs, null>("build.mount-root");

/** Unmounts it; not mounted is no error. */
export const unmountRoot = task<{ readonly target: string }, null>("build.unmount-root");

export interface NormaliseArgs {
  /** An unmounted upper folder. */
  readonly upper: string;
  /** Seconds; newer times become this. */
  readonly layerTime: number;
  /** A RUN wrote it. What COPY and ADD were given is the author's own: only times change. */
  readonly byRun: boolean;
  readonly removeVolatile: boolean;
}

export interface Normalised {
  /** What was done, by rule. */
  readonly changes: readonly { readonly rule: string; readonly paths: readonly string[] }[];
  /** What differs from build to build and stays. */
  readonly reports: readonly { readonly path: string; readonly because: string; readonly next: string }[];
}

/** Makes an upper folder the same however and whenever it was made. See builder.md, "Normalising happens in place". */
export const normaliseUpper = task<NormaliseArgs, Normalised>("build.normalise-upper");

/** Where COPY or ADD takes from: a folder, resolved as if it were "/". */
export interface SourceRoot {
  readonly folder: string;
  /** Text of the ignore file; the context only. */
  readonly ignore?: string;
  /** Modes and owners as they are (a stage, an image, --keep-mode); else by the x bit alone, owned by root. */
  readonly keepMode: boolean;
}

export interface DigestArgs {
  readonly root: SourceRoot;
  /** Paths with wildcards, as written after expansion. */
  readonly sources: readonly string[];
  readonly exclude: readonly string[];
}

export interface DigestedSources {
  /** Over names, types, modes, owners and content of all that matched: equal digests, equal copies. */
  readonly digest: string;
  /** What each source matched, in byte order, relative to the root. */
  readonly matches: readonly { readonly source: string; readonly paths: readonly string[] }[];
}

/** Errors: "not-found" a source matches nothing. */
export const digestSources = task<DigestArgs, DigestedSources>("build.digest-sources");

export interface CopyArgs extends DigestArgs {
  /** The mounted root to write into, and the absolute path below it as written. */
  readonly target: string;
  readonly destination: string;
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Octal permission bits for all files and folders. */
  readonly mode?: number;
  readonly layerTime: number;
  /** Unpack archives that are sources themselves (ADD). */
  readonly unpack: boolean;
}

/** Copies. Errors: "not-found", "conflict" (a file in the way of a folder or the other way round). */
export const copySources = task<CopyArgs, null>("build.copy-sources");

/** Makes a folder and what is missing above it, in a mounted root. */
export const makeFolder = task<{ readonly target: string; readonly path: string; readonly layerTime: number }, null>(
  "build.make-folder",
);
