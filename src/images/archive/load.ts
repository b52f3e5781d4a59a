import { GantryError, isKind } from "#base/core/errors.ts";
import { type Descriptor, type Digest, type Index, mediaTypes } from "#formats/oci/contract.ts";
import { childrenOf, parseDocument } from "#formats/oci/document.ts";
import { encodeDocument, parseImageConfig } from "#formats/oci/image-config.ts";
import { platformFit } from "#formats/oci/platform.ts";
import { normalizeReference } from "#formats/oci/reference.ts";
import type { Lease, Store } from "#images/store/contract.ts";
import type { LoadedImage, LoadOptions } from "./contract.ts";
import { nameLoaded } from "./name-loaded.ts";
import { type ArchiveContent, type ArchivedBlob, readArchive, refuse } from "./read-archive.ts";
import { unpackLoaded } from "./unpack-loaded.ts";

interface DockerItem {
  readonly Config: string;
  readonly RepoTags: readonly string[];
  readonly Layers: readonly string[];
}

interface Target {
  readonly descriptor: Descriptor;
  readonly names: string[];
}

/** `docker save` and OCI layouts; see contract.ts. */
export async function loadArchive(
  store: Store,
  tar: ReadableStream<Uint8Array>,
  options: LoadOptions,
): Promise<LoadedImage[]> {
  using lease = store.leases.begin("load");
  const content = await readArchive(tar, store.blobs, lease, options);
  const items = dockerItems(content);
  const index = content.documents.get("index.json");
  const targets =
    index === undefined
      ? await fromDocker(store, content, items, lease)
      : await fromLayout(store, index, items, options);
  if (targets.length === 0)
    throw new GantryError("invalid", {
      doing: "load the archive",
      because: "it holds no image: neither index.json nor manifest.json names one",
      next: "A root file system's tar is taken by `gantry import`.",
    });
  for (const target of targets) {
    await complete(store, target.descriptor, true);
    await unpackLoaded(store, lease, target, options);
  }
  options.onProgress?.({ phase: "naming", bytes: 0 });
  return targets.map((target) => nameLoaded(store, target));
}

async function fromLayout(
  store: Store,
  bytes: Uint8Array,
  items: readonly DockerItem[],
  options: LoadOptions,
): Promise<Target[]> {
  const document = parseDocument(bytes);
  if (document.kind !== "index") refuse("index.json", "it is no index");
  const targets = new Map<Digest, Target>();
  for (const descriptor of chosen(document.index, options)) {
    const { annotations: _, platform: __, ...plain } = descriptor;
    const target: Target = targets.get(descriptor.digest) ?? { descriptor: plain, names: [] };
    targets.set(descriptor.digest, target);
    for (const name of await namesOf(store, descriptor, items))
      if (!target.names.includes(name)) target.names.push(name);
  }
  return [...targets.values()];
}

function chosen(index: Index, options: LoadOptions): readonly Descriptor[] {
  const { platform } = options;
  if (platform === undefined) return index.manifests;
  return index.manifests.filter((item) => item.platform === undefined || platformFit(platform, item.platform) > 0);
}

/** containerd's annotation names it whole; OCI's ref.name only when it is more than a bare tag; Docker's by its config. */
async function namesOf(store: Store, descriptor: Descriptor, items: readonly DockerItem[]): Promise<string[]> {
  const names: string[] = [];
  const full = descriptor.annotations?.["io.containerd.image.name"];
  const short = descriptor.annotations?.["org.opencontainers.image.ref.name"];
  if (full !== undefined) names.push(normalizeReference(full));
  else if (short !== undefined && /[/:]/.test(short) && isName(short)) names.push(normalizeReference(short));
  if (!store.blobs.has(descriptor.digest)) return names;
  const document = parseDocument(await store.blobs.read(descriptor.digest), { mediaType: descriptor.mediaType });
  if (document.kind === "index") return names;
  const hex = document.manifest.config.digest.slice("sha256:".length);
  for (const item of items) if (item.Config.includes(hex)) names.push(...item.RepoTags.map(normalizeReference));
  return names;
}

function isName(text: string): boolean {
  try {
    normalizeReference(text);
    return true;
  } catch (error) {
    if (isKind(error, "invalid")) return false;
    throw error;
  }
}

/** An old archive has no manifest: one is made of its config and layers. */
async function fromDocker(
  store: Store,
  content: ArchiveContent,
  items: readonly DockerItem[],
  lease: Lease,
): Promise<Target[]> {
  const targets: Target[] = [];
  for (const item of items) {
    const config = content.blob(item.Config) ?? refuse(item.Config, "the archive has no such file");
    const parsed = parseImageConfig(await store.blobs.read(config.digest));
    const layers = item.Layers.map((path) => layerOf(content, path));
    const diffIds = parsed.rootfs.diff_ids;
    if (layers.length !== diffIds.length)
      refuse("manifest.json", `it has ${layers.length} layers, the config ${diffIds.length}`);
    for (const [position, layer] of layers.entries())
      if (layer.mediaType === mediaTypes.layer && layer.digest !== diffIds[position])
        throw new GantryError("corrupt", {
          doing: "load the layer",
          on: item.Layers[position]!,
          because: `its bytes are ${layer.digest}, the config says ${diffIds[position]}`,
        });
    const manifest = encodeDocument({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: { mediaType: mediaTypes.config, digest: config.digest, size: config.size },
      layers,
    });
    const { digest, size } = await store.blobs.put(manifest);
    lease.add({ blob: digest });
    targets.push({
      descriptor: { mediaType: mediaTypes.manifest, digest, size },
      names: item.RepoTags.map(normalizeReference),
    });
  }
  return targets;
}

const layerTypes: Readonly<Partial<Record<ArchivedBlob["compression"], string>>> = {
  none: mediaTypes.layer,
  gzip: mediaTypes.layerGzip,
  zstd: mediaTypes.layerZstd,
};

function layerOf(content: ArchiveContent, path: string): Descriptor {
  const blob = content.blob(path) ?? refuse(path, "the archive has no such file");
  const mediaType =
    layerTypes[blob.compression] ?? refuse(path, `a layer compressed with ${blob.compression} is not read`);
  return { mediaType, digest: blob.digest, size: blob.size };
}

function dockerItems(content: ArchiveContent): DockerItem[] {
  const bytes = content.documents.get("manifest.json");
  if (bytes === undefined) return [];
  let list: unknown;
  try {
    list = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new GantryError("invalid", {
      doing: "load the archive",
      on: "manifest.json",
      because: "it is no JSON",
      cause,
    });
  }
  if (!Array.isArray(list)) return refuse("manifest.json", "it is no list");
  return list.map((item: unknown) => {
    const { Config, RepoTags, Layers } = (typeof item === "object" && item !== null ? item : {}) as Record<
      string,
      unknown
    >;
    const texts = (value: unknown): value is string[] =>
      Array.isArray(value) && value.every((x) => typeof x === "string");
    if (typeof Config !== "string" || !texts(Layers)) return refuse("manifest.json", "Config or Layers is missing");
    if (RepoTags !== undefined && RepoTags !== null && !texts(RepoTags))
      return refuse("manifest.json", "RepoTags is no list of texts");
    return { Config, Layers, RepoTags: texts(RepoTags) ? RepoTags : [] };
  });
}

/** A named image must have all of one platform; of an index the others may be missing. */
async function complete(store: Store, descriptor: Descriptor, must: boolean): Promise<boolean> {
  const missing = (digest: Digest): boolean => {
    if (!must) return false;
    throw new GantryError("corrupt", {
      doing: "load the image",
      on: descriptor.digest,
      because: `the archive lacks ${digest}`,
      next: "Make the archive again.",
    });
  };
  if (!store.blobs.has(descriptor.digest)) return missing(descriptor.digest);
  const document = parseDocument(await store.blobs.read(descriptor.digest), { mediaType: descriptor.mediaType });
  const children = childrenOf(document);
  if (document.kind === "manifest") {
    const gone = children.find((child) => !store.blobs.has(child.digest));
    return gone === undefined || missing(gone.digest);
  }
  let any = false;
  for (const child of children) any = (await complete(store, child, false)) || any;
  return any || missing(children[0]?.digest ?? descriptor.digest);
}
