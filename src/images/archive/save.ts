import { isKind } from "#base/core/errors.ts";
import { type Descriptor, type Digest, mediaTypes, type Reference } from "#formats/oci/contract.ts";
import { digestAlgorithm, digestHex } from "#formats/oci/digest.ts";
import { childrenOf, isIndexType, isManifestType, parseDocument } from "#formats/oci/document.ts";
import { encodeDocument } from "#formats/oci/image-config.ts";
import { familiarReference, parseReference, repositoryOf } from "#formats/oci/reference.ts";
import { tarStream } from "#formats/tar/streams.ts";
import { tarEntry } from "#formats/tar/writer.ts";
import type { ImageRecord, ResolvedImage, Store } from "#images/store/contract.ts";
import type { SaveOptions } from "./contract.ts";

interface Chosen {
  readonly record: ImageRecord;
  /** As the user asked; an image asked for by ID is saved without a name, as Docker does. */
  readonly names: string[];
}

/** One tar, an OCI layout and a docker-archive at once. Fixed times: the same images give the same bytes. */
export async function saveArchive(
  store: Store,
  texts: readonly string[],
  options: SaveOptions,
): Promise<ReadableStream<Uint8Array>> {
  const chosen = choose(store, texts);
  const blobs = new Map<Digest, number>();
  const entries: object[] = [];
  const items = new Map<Digest, { Config: string; RepoTags: string[]; Layers: string[] }>();
  const lease = store.leases.begin("save");
  try {
    for (const { record, names } of chosen) {
      lease.add({ image: record.id });
      await gather(store, record.target, blobs);
      for (const name of names.length === 0 ? [undefined] : names) entries.push(layoutEntry(record.target, name));
      const image = await opened(store, record, options);
      if (image === undefined) continue;
      const tags = names.map(parseReference).filter((name) => name.tag !== undefined && name.digest === undefined);
      items.set(record.id, {
        Config: pathOf(image.manifest.config.digest),
        RepoTags: tags.map(familiarReference),
        Layers: image.manifest.layers.map((layer) => pathOf(layer.digest)),
      });
    }
  } catch (error) {
    lease[Symbol.dispose]();
    throw error;
  }
  const documents = {
    "index.json": { schemaVersion: 2, mediaType: mediaTypes.index, manifests: entries },
    "manifest.json": [...items.values()],
    "oci-layout": { imageLayoutVersion: "1.0.0" },
  };
  return tarStream(async (tar) => {
    using _held = lease;
    const folder = (name: string) =>
      tar.entry(tarEntry({ name: Buffer.from(`${name}/`), type: "directory", mode: 0o755 }));
    const digests = [...blobs.keys()].sort();
    await folder("blobs");
    for (const algorithm of new Set(digests.map(digestAlgorithm))) await folder(`blobs/${algorithm}`);
    for (const digest of digests) {
      options.signal?.throwIfAborted();
      const entry = tarEntry({
        name: Buffer.from(pathOf(digest)),
        type: "file",
        mode: 0o644,
        size: blobs.get(digest)!,
      });
      await tar.entry(entry, store.blobs.open(digest));
    }
    for (const [name, document] of Object.entries(documents)) {
      const bytes = encodeDocument(document);
      await tar.entry(tarEntry({ name: Buffer.from(name), type: "file", mode: 0o644, size: bytes.length }), bytes);
    }
  });
}

function choose(store: Store, texts: readonly string[]): Chosen[] {
  const chosen = new Map<Digest, Chosen>();
  for (const text of texts.flatMap((given) => tagsOf(store, given) ?? [given])) {
    const record = store.images.resolve(text);
    const one = chosen.get(record.id) ?? { record, names: [] };
    chosen.set(record.id, one);
    const name = nameIn(record, text);
    if (name !== undefined && !one.names.includes(name)) one.names.push(name);
  }
  return [...chosen.values()];
}

/** A repository without a tag is every tag of it, as in Docker; undefined when it has none here. */
function tagsOf(store: Store, text: string): string[] | undefined {
  const reference = readable(text);
  if (reference === undefined || reference.tag !== undefined || reference.digest !== undefined) return undefined;
  const begins = `${repositoryOf(reference)}:`;
  const names = store.images.list().flatMap((record) => record.names.filter((name) => name.startsWith(begins)));
  return names.length === 0 ? undefined : names.sort();
}

/** The record's name that `text` spells; none for an ID. */
function nameIn(record: ImageRecord, text: string): string | undefined {
  const reference = readable(text);
  if (reference === undefined) return undefined;
  const { domain, path, tag, digest } = reference;
  const wanted = `${domain}/${path}${digest === undefined ? `:${tag ?? "latest"}` : `@${digest}`}`;
  return record.names.find((name) => name === wanted);
}

function readable(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch (error) {
    if (isKind(error, "invalid")) return undefined;
    throw error;
  }
}

function layoutEntry(target: Descriptor, name: string | undefined): object {
  const { mediaType, digest, size } = target;
  if (name === undefined) return { mediaType, digest, size };
  const tag = parseReference(name).tag;
  const annotations = {
    "io.containerd.image.name": name,
    ...(tag === undefined ? {} : { "org.opencontainers.image.ref.name": tag }),
  };
  return { mediaType, digest, size, annotations };
}

async function opened(store: Store, record: ImageRecord, options: SaveOptions): Promise<ResolvedImage | undefined> {
  try {
    return await store.images.open(record, options.platform);
  } catch (error) {
    // An index without this platform is still a whole layout; Docker's older list goes without it.
    if (isKind(error, "not-found") && options.platform === undefined) return undefined;
    throw error;
  }
}

/** Every blob of the target that is here. */
async function gather(store: Store, descriptor: Descriptor, into: Map<Digest, number>): Promise<void> {
  const info = store.blobs.stat(descriptor.digest);
  if (info === undefined || into.has(descriptor.digest)) return;
  into.set(descriptor.digest, info.size);
  if (!isManifestType(descriptor.mediaType) && !isIndexType(descriptor.mediaType)) return;
  const document = parseDocument(await store.blobs.read(descriptor.digest), { mediaType: descriptor.mediaType });
  for (const child of childrenOf(document)) await gather(store, child, into);
}

function pathOf(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}
