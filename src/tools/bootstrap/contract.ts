/**
 * Base images from Debian packages: mmdebstrap run in the user's process, from the package sources this machine uses
 * itself. The same request gives the same bytes as long as the sources hold the same packages, and the tar names
 * neither the machine nor where its packages came from.
 */
export interface BootstrapRequest {
  /** "debian", "ubuntu": must be what the sources say they are (their Release file's Origin). */
  readonly distribution: string;
  /** "bookworm", "stable". */
  readonly suite: string;
  readonly variant: Variant;
  /** Further packages. */
  readonly include: readonly string[];
  /** Seconds since 1970 that no file is younger than; the suite's release date when left out. */
  readonly date?: number;
  /** A package source instead of the machine's own: "https://…/debian". */
  readonly mirror?: string;
  /** The folder in which finished tars are kept. */
  readonly cache: string;
  /** Make it anew even when the cache holds it. */
  readonly fresh: boolean;
}

/** Of mmdebstrap(1), those that make a system one can run. */
export const variants = ["minbase", "apt", "essential", "required", "important", "standard", "buildd"] as const;
export type Variant = (typeof variants)[number];

export interface BootstrapOptions {
  readonly signal?: AbortSignal;
  /** One line each time the work goes on, without a line end. */
  readonly onProgress?: (line: string) => void;
}

export interface Bootstrapped {
  /** The root file system's tar, in the cache. */
  readonly tar: string;
  /** Seconds since 1970: what files are dated and what the image's `created` must be. */
  readonly date: number;
  readonly cached: boolean;
}

/** One source of packages, as sources.list(5) declares it. */
export interface PackageSource {
  readonly uri: string;
  readonly suite: string;
  readonly components: readonly string[];
  /** In apt's one-line spelling: "signed-by", "trusted". */
  readonly options: Readonly<Record<string, string>>;
  /** The signing key itself, when the source carries it in line. */
  readonly key?: string;
}
