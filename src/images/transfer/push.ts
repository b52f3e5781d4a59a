import { GantryError } from "#base/core/errors.ts";
import { type Descriptor, documentLimit, type Reference } from "#formats/oci/contract.ts";
import { childrenOf, isForeignLayer, isIndexType, isManifestType, parseDocument } from "#formats/oci/document.ts";
import { parseReference, withDefaultTag } from "#formats/oci/reference.ts";
import type { Repository } from "#images/distribution/contract.ts";
import type { ImageRecord, Store } from "#images/store/contract.ts";
import type { LayerProgress, PushOptions } from "./contract.ts";
import { Lanes, together } from "./lanes.ts";
import type { TransferParts } from "./pull.ts";

const doing = "push the image";
const lanes = 3;
const mountCandidates = 2;

/** Depth first: a manifest is sent when all it points to is there (distribution-spec, "Pushing manifests"). */
export async function push(parts: TransferParts, text: string, options: PushOptions): Promise<Descriptor> {
  const { store, open } = parts;
  const { credentials } = options;
  const reference = withDefaultTag(parseReference(text));
  const record = store.images.resolve(text);
  using lease = store.leases.begin(`push ${text}`);
  lease.add({ image: record.id });
  const target = await whatIsHere(store, record, text);
  const mountFrom = siblings(record, reference);
  const repository = open({
    reference,
    actions: ["pull", "push"],
    mountFrom,
    ...(credentials === undefined ? {} : { credentials }),
  });
  const sending = new Sending(store, repository, mountFrom, options);
  await sending.document(target, reference.digest ?? reference.tag!);
  return target;
}

/**
 * The whole target; or, of an index of which only one platform was ever pulled, that platform's manifest, as docker
 * does. Error "not-found": something between these.
 */
async function whatIsHere(store: Store, record: ImageRecord, on: string): Promise<Descriptor> {
  const manifests = await store.images.manifests(record);
  const here = manifests.filter(({ available }) => available);
  if (here.length === manifests.length) return record.target;
  const [only] = here;
  if (here.length === 1 && only !== undefined) return only.descriptor;
  throw new GantryError("not-found", {
    doing,
    on,
    because:
      here.length === 0
        ? "its content is not all here"
        : `${manifests.length - here.length} of its ${manifests.length} platforms are not here`,
    next:
      here.length === 0
        ? "Pull or build it again."
        : "Pull the other platforms first, or push one platform under a name of its own.",
  });
}

/** Other repositories of the same registry that have this very image: their blobs need not travel. */
function siblings(record: ImageRecord, reference: Reference): string[] {
  const paths = record.names
    .map(parseReference)
    .filter(({ domain, path }) => domain === reference.domain && path !== reference.path)
    .map(({ path }) => path);
  return [...new Set(paths)].slice(0, mountCandidates);
}

class Sending {
  readonly #store: Store;
  readonly #repository: Repository;
  readonly #mountFrom: readonly string[];
  readonly #signal: AbortSignal | undefined;
  readonly #say: (progress: LayerProgress) => void;

  constructor(store: Store, repository: Repository, mountFrom: readonly string[], options: PushOptions) {
    this.#store = store;
    this.#repository = repository;
    this.#mountFrom = mountFrom;
    this.#signal = options.signal;
    this.#say = options.onProgress ?? (() => undefined);
  }

  /** With everything below it. `target` is the tag or the digest to put it under. */
  async document(descriptor: Descriptor, target: string): Promise<void> {
    this.#signal?.throwIfAborted();
    const bytes = await this.#store.blobs.read(descriptor.digest, documentLimit);
    const children = childrenOf(parseDocument(bytes, { mediaType: descriptor.mediaType }));
    const documents = children.filter(isDocument);
    const blobs = children.filter((child) => !isDocument(child) && !isForeignLayer(child.mediaType));
    if (await this.#repository.hasManifest(descriptor.digest, this.#signal)) {
      for (const child of blobs) this.#say({ descriptor: child, phase: "here" });
      if (target === descriptor.digest) return;
    } else {
      for (const child of documents) await this.document(child, child.digest);
      await this.#blobs(blobs);
    }
    await this.#repository.putManifest(target, descriptor.mediaType, bytes, this.#signal);
  }

  async #blobs(wanted: readonly Descriptor[]): Promise<void> {
    const queue = new Lanes(lanes);
    const once = [...new Map(wanted.map((descriptor) => [descriptor.digest, descriptor])).values()];
    for (const descriptor of once) this.#say({ descriptor, phase: "waiting" });
    await together(this.#signal, (signal) =>
      once.map((descriptor) =>
        queue.run(async () => {
          signal.throwIfAborted();
          await this.#blob(descriptor, signal);
        }),
      ),
    );
  }

  async #blob(descriptor: Descriptor, signal: AbortSignal): Promise<void> {
    const { digest } = descriptor;
    if (await this.#repository.hasBlob(digest, signal)) return this.#say({ descriptor, phase: "here" });
    for (const from of this.#mountFrom)
      if (await this.#repository.mountBlob(digest, from, signal)) return this.#say({ descriptor, phase: "mounted" });
    const onProgress = (bytes: number) => this.#say({ descriptor, phase: "uploading", bytes });
    onProgress(0);
    await this.#repository.putBlob(descriptor, () => this.#store.blobs.open(digest), { signal, onProgress });
    this.#say({ descriptor, phase: "uploaded" });
  }
}

function isDocument(descriptor: Descriptor): boolean {
  return isManifestType(descriptor.mediaType) || isIndexType(descriptor.mediaType);
}
