import { GantryError } from "#base/core/errors.ts";
import type { Descriptor, Digest, Document, ImageConfig } from "#formats/oci/contract.ts";
import { chainIds } from "#formats/oci/digest.ts";
import { childrenOf, isIndexType, isManifestType, parseDocument } from "#formats/oci/document.ts";
import { parseImageConfig } from "#formats/oci/image-config.ts";
import type { BlobProvider } from "./contract.ts";

const remembered = 256;

/** Parsed documents by digest. Content never changes, so neither does what it parses to. */
export class Documents {
  readonly #blobs: BlobProvider;
  readonly #documents = new Map<Digest, Document>();
  readonly #configs = new Map<Digest, ImageConfig>();

  constructor(blobs: BlobProvider) {
    this.#blobs = blobs;
  }

  async document(descriptor: Descriptor): Promise<Document> {
    const known = this.#documents.get(descriptor.digest);
    if (known !== undefined) return known;
    const bytes = await this.#blobs.read(descriptor.digest);
    return remember(this.#documents, descriptor.digest, parseDocument(bytes, { mediaType: descriptor.mediaType }));
  }

  async config(descriptor: Descriptor): Promise<ImageConfig> {
    const known = this.#configs.get(descriptor.digest);
    if (known !== undefined) return known;
    const bytes = await this.#blobs.read(descriptor.digest);
    return remember(this.#configs, descriptor.digest, parseImageConfig(bytes));
  }

  /** Everything a target names, itself included, as far as it is here; with the chain IDs of each image in it. */
  async reach(target: Descriptor, blobs: Set<Digest>, chains: Set<Digest>): Promise<void> {
    if (blobs.has(target.digest)) return;
    blobs.add(target.digest);
    if (!isManifestType(target.mediaType) && !isIndexType(target.mediaType)) return;
    if (!this.#blobs.has(target.digest)) return;
    const document = await this.#readable(target);
    if (document === undefined) return;
    for (const child of childrenOf(document)) await this.reach(child, blobs, chains);
    if (document.kind === "index" || !this.#blobs.has(document.manifest.config.digest)) return;
    // An artifact's config is no image config: it simply has no chain.
    const config = await this.config(document.manifest.config).catch(onlyKind("invalid", "corrupt"));
    for (const chain of chainIds(config?.rootfs.diff_ids ?? [])) chains.add(chain);
  }

  /** undefined for a damaged document: `check` reports it, collecting goes on. */
  #readable(target: Descriptor): Promise<Document | undefined> {
    return this.document(target).catch(onlyKind("invalid", "corrupt"));
  }

  forget(): void {
    this.#documents.clear();
    this.#configs.clear();
  }
}

function remember<T>(map: Map<Digest, T>, key: Digest, value: T): T {
  if (map.size >= remembered) map.delete(map.keys().next().value as Digest);
  map.set(key, value);
  return value;
}

function onlyKind(...kinds: string[]): (error: unknown) => undefined {
  return (error) => {
    if (error instanceof GantryError && kinds.includes(error.kind)) return undefined;
    throw error;
  };
}
