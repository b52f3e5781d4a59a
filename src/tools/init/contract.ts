/**
 * `gantry init`: from what lies in a folder, a Dockerfile and a .dockerignore that build at once and explain
 * themselves. Pure: the caller lists the folder and writes what comes back; nothing is read, asked or fetched here.
 */

export interface FolderFile {
  /** Relative to the folder, "/" between names. Hidden folders and what version control ignores may be left out. */
  readonly path: string;
  readonly executable: boolean;
  /** The first 16 KiB as text; empty for what is no text. */
  readonly head: string;
}

export interface Folder {
  /** Its own name, for the image's. */
  readonly name: string;
  readonly files: readonly FolderFile[];
}

export type Language = "python" | "r" | "node" | "c" | "shell";

/** What a template decides; `write.ts` puts it into words. */
export interface Recipe {
  readonly language: Language;
  /** "Python script count.py". */
  readonly what: string;
  /** Debian packages to install, each with a reason when it is not plain. */
  readonly packages: readonly string[];
  /** Only for building: a first stage of its own, of which `copy` is taken. */
  readonly compile?: { readonly packages: readonly string[]; readonly run: string; readonly copy: string };
  /** Lines between the packages and the copy of the folder: dependencies, which change less often than code. */
  readonly dependencies: readonly string[];
  /** The program by absolute path, so that it runs in any working folder. */
  readonly entrypoint: readonly string[];
  readonly ignore: readonly string[];
  /** Sentences for the reader: what was guessed and may be wrong. */
  readonly notes: readonly string[];
}

export interface InitResult {
  readonly language: Language;
  readonly what: string;
  readonly dockerfile: string;
  readonly dockerignore: string;
  readonly notes: readonly string[];
  /** Fit for `gantry build -t`. */
  readonly imageName: string;
}
