/** Handles of the engine's own work in bulk Workers; `bulk.ts` implements them. */
import { task } from "#base/system/pool/contract.ts";

/** What a path is resolved in, as if it were "/". */
export interface CopyRoot {
  readonly root: string;
  /** What is mounted below the root belongs to it; else mounts are borders. */
  readonly mounts?: boolean;
}

export interface UnpackTarArgs extends CopyRoot {
  /** A spooled tar, plain or compressed. */
  readonly file: string;
  /** Below the root, as the user named it. */
  readonly path: string;
  /** Seconds since 1970. */
  readonly time: number;
  /** Times as archived instead of `time`. */
  readonly keepTimes?: boolean;
}

/** Unpacks a tar below a folder. Errors: "corrupt", "invalid", "conflict" (a file in the way). */
export const unpackTar = task<UnpackTarArgs, null>("engine.unpack-tar");

export interface PackTarArgs extends CopyRoot {
  readonly path: string;
  /** The tar to write. */
  readonly file: string;
  /** The top entry's name in the tar; "" packs what the folder holds, without it. */
  readonly name: string;
}

/** Packs a file or folder as a tar. Errors: "not-found". */
export const packTar = task<PackTarArgs, null>("engine.pack-tar");

export interface PathFacts {
  readonly name: string;
  readonly size: number;
  /** Go's os.FileMode bits. */
  readonly mode: number;
  readonly modified: number;
  readonly linkTarget: string;
  /** The file system it is on, "major:minor". */
  readonly device: string;
}

/** A path inside a root, itself, not what a last link leads to. Errors: "not-found". */
export const statPath = task<CopyRoot & { readonly path: string }, PathFacts>("engine.stat-path");

/** Gives a volume the owner and mode of the folder it is filled from. False: there is no such folder. */
export const copyFolderOwner = task<{ readonly root: string; readonly path: string; readonly to: string }, boolean>(
  "engine.copy-folder-owner",
);
