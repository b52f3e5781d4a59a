/**
 * A registry on the store (OCI distribution-spec 1.1): `fetch` answers one request, whoever listens. What was pushed
 * stays until it is deleted: every blob and manifest is linked to the repositories it was pushed to and pinned there,
 * and a link is what makes it readable, so one repository's content is never read through another.
 */
import type { Digest } from "#formats/oci/contract.ts";

export interface Registry {
  /** Never throws; every error is an answer of the specification's form. */
  fetch(request: Request): Promise<Response>;
}

/** Who asks; the default lets everybody in, as a registry on loopback does. */
export interface Access {
  /** Undefined: allowed. A response: the refusal or the challenge. */
  check(
    request: Request,
    repository: string | undefined,
    action: "pull" | "push" | "delete",
  ): Promise<Response | undefined>;
}

/** What the registry remembers beside the store: names, links, tags, referrers. */
export interface Catalogue {
  repositories(limit: number, last: string | undefined): string[];
  hasRepository(repository: string): boolean;
  tags(repository: string, limit: number, last: string | undefined): string[];
  tag(repository: string, tag: string): Digest | undefined;
  manifest(repository: string, digest: Digest): LinkedManifest | undefined;
  hasBlob(repository: string, digest: Digest): boolean;
  /** A repository that has the blob, when any has. */
  linkBlob(repository: string, digest: Digest): void;
  unlinkBlob(repository: string, digest: Digest): boolean;
  /** Links the manifest, and the tag when one is given, in one transaction. */
  putManifest(repository: string, manifest: LinkedManifest, tag: string | undefined): void;
  deleteManifest(repository: string, digest: Digest): boolean;
  deleteTag(repository: string, tag: string): boolean;
  referrers(repository: string, subject: Digest): LinkedManifest[];
}

export interface LinkedManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  readonly subject?: Digest;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** What it points to in this repository. */
  readonly children: readonly Digest[];
}
