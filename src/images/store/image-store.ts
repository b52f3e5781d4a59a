import { GantryError } from "#base/core/errors.ts";
import type { Descriptor, Digest, Document, Manifest, Platform } from "#formats/oci/contract.ts";
import { chainIds, isDigest } from "#formats/oci/digest.ts";
import { choosePlatform, formatPlatform, hostPlatform, platformFit } from "#formats/oci/platform.ts";
import { normalizeReference, parseReference, repositoryOf } from "#formats/oci/reference.ts";
import type { StoreContext } from "./context.ts";
import type { BlobProvider, ImageRecord, ImageStore, ManifestSummary, ResolvedImage } from "./contract.ts";
import type { Documents } from "./documents.ts";

interface ImageRow {
  target: Digest;
  descriptor: string;
  created: number;
}

const deepestIndex = 4;

export class RowImageStore implements ImageStore {
  readonly #context: StoreContext;
  readonly #blobs: BlobProvider;
  readonly #documents: Documents;

  constructor(context: StoreContext, blobs: BlobProvider, documents: Documents) {
    this.#context = context;
    this.#blobs = blobs;
    this.#documents = documents;
  }

  list(): ImageRecord[] {
    const names = new Map<string, string[]>();
    for (const row of this.#context.database.all<{ name: string; target: string }>(
      "SELECT name, target FROM image_names ORDER BY name",
    )) {
      const list = names.get(row.target);
      if (list === undefined) names.set(row.target, [row.name]);
      else list.push(row.name);
    }
    return this.#context.database
      .all<ImageRow>("SELECT target, descriptor, created FROM images ORDER BY created DESC, target")
      .map((row) => record(row, names.get(row.target) ?? []));
  }

  get(id: Digest): ImageRecord | undefined {
    const { database } = this.#context;
    const row = database.get<ImageRow>("SELECT target, descriptor, created FROM images WHERE target = ?", id);
    if (row === undefined) return undefined;
    const names = database.all<{ name: string }>("SELECT name FROM image_names WHERE target = ? ORDER BY name", id);
    return record(
      row,
      names.map(({ name }) => name),
    );
  }

  resolve(text: string): ImageRecord {
    const found = this.#byDigest(text) ?? this.#byName(text) ?? this.#byPrefix(text);
    if (found !== undefined) return found;
    throw new GantryError("not-found", {
      doing: "find the image",
      on: text,
      because: "no image here has that name or ID",
      next: "`gantry images` lists them; `gantry pull` fetches one.",
    });
  }

  async open(image: ImageRecord, platform?: Platform): Promise<ResolvedImage> {
    const { descriptor, manifest } = await this.#manifest(image, image.target, platform ?? hostPlatform(), 0);
    const config = await this.#documents.config(manifest.config);
    // An index chose by what it says itself; of a lone manifest only the config tells.
    if (platform !== undefined && descriptor === image.target && platformFit(platform, config) === 0)
      lacksPlatform(image, platform, [config]);
    const { diff_ids } = config.rootfs;
    if (diff_ids.length !== manifest.layers.length)
      throw new GantryError("corrupt", {
        doing: "open the image",
        on: image.names[0] ?? image.id,
        because: `its manifest has ${manifest.layers.length} layers, its config ${diff_ids.length}`,
      });
    const size = manifest.layers.reduce((sum, layer) => sum + layer.size, manifest.config.size);
    return { record: image, descriptor, manifest, config, chain: chainIds(diff_ids), size };
  }

  async #manifest(
    image: ImageRecord,
    descriptor: Descriptor,
    platform: Platform,
    depth: number,
  ): Promise<{ descriptor: Descriptor; manifest: Manifest }> {
    const document: Document = await this.#documents.document(descriptor);
    if (document.kind === "manifest") return { descriptor, manifest: document.manifest };
    const chosen = choosePlatform(document.index.manifests, platform);
    if (chosen === undefined || depth >= deepestIndex || !this.#blobs.has(chosen.digest))
      lacksPlatform(
        image,
        platform,
        document.index.manifests.flatMap((m) => (m.platform ? [m.platform] : [])),
      );
    return this.#manifest(image, chosen, platform, depth + 1);
  }

  put(target: Descriptor, names: readonly string[] = []): ImageRecord {
    const normal = names.map(normalizeReference);
    if (!this.#blobs.has(target.digest))
      throw new GantryError("not-found", {
        doing: "name the image",
        on: names[0] ?? target.digest,
        because: `its manifest ${target.digest} is not in the store`,
      });
    const { database, clock, watch } = this.#context;
    watch.touch();
    const before = this.get(target.digest);
    // A build with nothing changed names what has its names.
    if (before !== undefined && normal.every((name) => before.names.includes(name))) return before;
    const { mediaType, digest, size, annotations } = target;
    const kept = { mediaType, digest, size, ...(annotations === undefined ? {} : { annotations }) };
    database.transaction("images.put", () => {
      database.run("INSERT OR IGNORE INTO images VALUES (?, ?, ?)", digest, JSON.stringify(kept), clock.now());
      for (const name of normal) this.#name(name, digest);
    });
    return this.get(digest)!;
  }

  tag(id: Digest, name: string): void {
    const normal = normalizeReference(name);
    if (this.get(id) === undefined)
      throw new GantryError("not-found", { doing: "tag the image", on: id, because: "no image here has that ID" });
    const { database, watch } = this.#context;
    watch.touch();
    database.transaction("images.tag", () => this.#name(normal, id));
  }

  #name(name: string, target: Digest): void {
    this.#context.database.run("INSERT OR REPLACE INTO image_names VALUES (?, ?)", name, target);
  }

  untag(name: string): ImageRecord {
    const normal = normalizeReference(name);
    const { database } = this.#context;
    const row = database.get<{ target: Digest }>("SELECT target FROM image_names WHERE name = ?", normal);
    if (row === undefined)
      throw new GantryError("not-found", {
        doing: "untag the image",
        on: name,
        because: "no image here has that name",
      });
    database.transaction("images.untag", () => database.run("DELETE FROM image_names WHERE name = ?", normal));
    return this.get(row.target)!;
  }

  remove(id: Digest): void {
    const { database } = this.#context;
    const removed = database.transaction("images.remove", () =>
      database.run("DELETE FROM images WHERE target = ?", id),
    );
    if (removed === 0)
      throw new GantryError("not-found", { doing: "remove the image", on: id, because: "no image here has that ID" });
  }

  async manifests(image: ImageRecord): Promise<ManifestSummary[]> {
    const document = await this.#documents.document(image.target);
    const list = document.kind === "index" ? document.index.manifests : [image.target];
    return Promise.all(list.map((descriptor) => this.#summary(descriptor)));
  }

  async #summary(descriptor: Descriptor): Promise<ManifestSummary> {
    const platform = descriptor.platform;
    const named = platform === undefined ? {} : { platform };
    if (!this.#blobs.has(descriptor.digest)) return { descriptor, available: false, size: 0, ...named };
    const document = await this.#documents.document(descriptor);
    if (document.kind === "index") return { descriptor, available: true, size: 0, ...named };
    const parts = [document.manifest.config, ...document.manifest.layers];
    const size = parts.reduce((sum, part) => sum + part.size, 0);
    return { descriptor, available: parts.every((part) => this.#blobs.has(part.digest)), size, ...named };
  }

  #byDigest(text: string): ImageRecord | undefined {
    return isDigest(text) ? this.get(text) : undefined;
  }

  #byName(text: string): ImageRecord | undefined {
    // An ID or a prefix of one is no name; what is neither is refused by the parser.
    if (/^(sha256:)?[0-9a-f]{64}$/.test(text) || text.startsWith("sha256:")) return undefined;
    const reference = parseReference(text);
    const { database } = this.#context;
    const exact = database.get<{ target: Digest }>(
      "SELECT target FROM image_names WHERE name = ?",
      normalizeReference(text),
    );
    if (exact !== undefined) return this.get(exact.target);
    if (reference.digest === undefined) return undefined;
    // name@digest: the digest must be known under that very repository, not just be here (row 28).
    const repository = repositoryOf(reference);
    const image = this.get(reference.digest);
    return image?.names.some((name) => repositoryOf(parseReference(name)) === repository) ? image : undefined;
  }

  #byPrefix(text: string): ImageRecord | undefined {
    const match = /^(?:sha256:)?([0-9a-f]{2,64})$/.exec(text);
    if (match === null) return undefined;
    const rows = this.#context.database.all<{ target: Digest }>(
      "SELECT target FROM images WHERE target >= ? AND target < ? LIMIT 2",
      `sha256:${match[1]}`,
      `sha256:${match[1]}g`,
    );
    if (rows.length > 1)
      throw new GantryError("conflict", {
        doing: "find the image",
        on: text,
        because: "several IDs begin like that",
        next: "Give more digits.",
      });
    return rows[0] === undefined ? undefined : this.get(rows[0].target);
  }
}

function record(row: ImageRow, names: readonly string[]): ImageRecord {
  return { id: row.target, target: JSON.parse(row.descriptor) as Descriptor, names, created: row.created };
}

function lacksPlatform(image: ImageRecord, platform: Platform, has: readonly Platform[]): never {
  throw new GantryError("not-found", {
    doing: "open the image",
    on: image.names[0] ?? image.id,
    because: `it has nothing here for ${formatPlatform(platform)}`,
    next: `Pull it with --platform ${formatPlatform(platform)}, or choose one that it has.`,
    details: { platforms: has.map(formatPlatform) },
  });
}
