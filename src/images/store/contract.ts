/**
 * The store: content by digest, names, unpacked layers, and what protects them.
 *
 *   blobs/<algorithm>/<hex>   immutable, verified while written, named by rename, then by a row
 *   ingest/<id>               bytes on their way in
 *   layers/<short id>/fs      one unpacked layer or one snapshot's upper, in overlay form; work/ beside a snapshot's
 *
 * A file without a row does not exist for callers; `openStore` removes it. Rows are never ahead of their content.
 * An image comes in as: lease, ingest each blob, `images.put`, `layers.ensure`, end the lease.
 */
import type { Descriptor, Digest, ImageConfig, Manifest, Platform } from "#formats/oci/contract.ts";
import type { UnpackProgress, WriteLayerOptions, WrittenLayer } from "./tasks.ts";

export interface BlobInfo {
  readonly digest: Digest;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly created: number;
}

/** Half-open: bytes [start, end). */
export interface Range {
  readonly start?: number;
  readonly end?: number;
}

/** What a blob must turn out to be. */
export interface Expected {
  readonly digest?: Digest;
  readonly size?: number;
}

/** Bytes on their way in. Left without commit or abandon they stay and the same `ref` goes on where they end. */
export interface Ingest extends AsyncDisposable {
  readonly id: string;
  /** Bytes here already: the next one written is at this offset. */
  readonly offset: number;
  /** Errors: "corrupt" more than the expected size; "exhausted" the limit or the disk. */
  write(chunk: Uint8Array): void;
  /** Verifies, syncs, renames, names. Errors: "corrupt" wrong digest or size; the bytes are gone then. */
  commit(expected?: Expected): Promise<BlobInfo>;
  /** Forgets the bytes. */
  abandon(): void;
}

export interface IngestOptions extends Expected {
  /** Bytes at most, when `size` is unknown. */
  readonly limit?: number;
  readonly algorithm?: "sha256" | "sha512";
}

/** Gives a blob's bytes from an offset on. A source that cannot begin there begins at 0 and says so. */
export type BlobSource = (
  offset: number,
  signal: AbortSignal | undefined,
) => Promise<{ readonly offset: number; readonly stream: AsyncIterable<Uint8Array> }>;

export interface FetchOptions {
  readonly signal?: AbortSignal;
  /** Bytes here of the blob's size. */
  readonly onProgress?: (bytes: number) => void;
}

/** Reads. Errors: "not-found"; "corrupt" when the file is gone or short though the row says otherwise. */
export interface BlobProvider {
  stat(digest: Digest): BlobInfo | undefined;
  has(digest: Digest): boolean;
  /** The file; for bulk tasks and sendfile. It stays while a lease holds the digest. */
  path(digest: Digest): string;
  open(digest: Digest, range?: Range): ReadableStream<Uint8Array>;
  /** A small document whole. Error "invalid": bigger than `limit` (4 MiB). */
  read(digest: Digest, limit?: number): Promise<Uint8Array>;
  list(): BlobInfo[];
}

export interface BlobIngester {
  /** One writer a ref at a time: error "conflict". Refs are any text. */
  ingest(ref: string, options?: IngestOptions): Promise<Ingest>;
  /**
   * Makes sure the blob is here: does nothing when it is, joins the same fetch when one runs, else reads `source` from
   * where an interrupted one stopped. The last caller that gives up stops it.
   */
  fetch(wanted: Descriptor, source: BlobSource, options?: FetchOptions): Promise<BlobInfo>;
  /** Small content from memory. */
  put(bytes: Uint8Array, expected?: Expected): Promise<BlobInfo>;
  /** An empty file in ingest/ for a bulk task to write, hash and fsync by itself. */
  reserve(): { readonly id: string; readonly path: string };
  /** The place of an {@link ingest}'s bytes, for a Worker to write and hash; ends with `adopt`, `discard` or `release`. */
  lend(ref: string): { readonly id: string; readonly path: string };
  /** The writer has stopped; the bytes stay for the next one of the same ref. */
  release(id: string): void;
  /** Names what a bulk task wrote. Promised by the task: it hashed these very bytes. */
  adopt(id: string, blob: { readonly digest: Digest; readonly size: number }): Promise<BlobInfo>;
  discard(id: string): void;
}

export interface BlobStore extends BlobProvider, BlobIngester {
  /** Error "conflict": a lease holds it. Missing is no error: false. */
  delete(digest: Digest): boolean;
}

export interface ImageRecord {
  /** Docker's image ID: the target's digest. */
  readonly id: Digest;
  readonly target: Descriptor;
  /** Normalised references, sorted; empty: dangling. Digest references are among them. */
  readonly names: readonly string[];
  /** When it came here, milliseconds since 1970. */
  readonly created: number;
}

/** One image for one platform, read and checked. */
export interface ResolvedImage {
  readonly record: ImageRecord;
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  /** Of each layer, base first; the last is what a snapshot is prepared from. Empty for an image without layers. */
  readonly chain: readonly Digest[];
  /** Compressed bytes of config and layers. */
  readonly size: number;
}

export interface ImageStore {
  /** Sorted by time of arrival, newest first. */
  list(): ImageRecord[];
  get(id: Digest): ImageRecord | undefined;
  /**
   * What the user wrote: a name, name@digest (which must be known for that repository), an ID or a prefix of one.
   * Errors: "not-found", "conflict" for an ambiguous prefix, "invalid".
   */
  resolve(text: string): ImageRecord;
  /**
   * Manifest, config and chain for a platform. Without one an index gives the host's, and a lone manifest is taken
   * whatever it is for. Errors: "not-found" also when nothing here is for the platform; "corrupt".
   */
  open(record: ImageRecord, platform?: Platform): Promise<ResolvedImage>;
  /**
   * Records an image whose documents are here, and names it. A name moves: its old image stays, dangling when it was
   * the last. Error "not-found": the target's blob is missing.
   */
  put(target: Descriptor, names?: readonly string[]): ImageRecord;
  tag(id: Digest, name: string): void;
  /** Forgets one name. The image stays. Error "not-found". */
  untag(name: string): ImageRecord;
  /** Forgets the image and its names; content is left to `collect`. Error "conflict": a container uses it. */
  remove(id: Digest): void;
  /** Every manifest of the target: platform, sizes, whether its content is all here. */
  manifests(record: ImageRecord): Promise<ManifestSummary[]>;
}

export interface ManifestSummary {
  readonly descriptor: Descriptor;
  readonly available: boolean;
  readonly platform?: Platform;
  readonly size: number;
}

export interface LayerRecord {
  /** Folder name below layers/. */
  readonly id: string;
  readonly chainId: Digest;
  readonly parent?: Digest;
  readonly diffId: Digest;
  /** The blob it can be unpacked from again. */
  readonly blob: Digest;
  /** Bytes of the unpacked files. */
  readonly size: number;
  readonly files: number;
  readonly created: number;
}

export interface UnpackOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: UnpackProgress) => void;
}

export interface LayerStore {
  get(chainId: Digest): LayerRecord | undefined;
  list(): LayerRecord[];
  /** One layer over its parent, once however many ask. Errors: "corrupt", "invalid" (unsafe), "exhausted". */
  unpack(layer: Descriptor, diffId: Digest, parent: Digest | undefined, options?: UnpackOptions): Promise<LayerRecord>;
  /** All layers of an image; gives the top chain ID, undefined for an image without layers. */
  ensure(image: ResolvedImage, options?: UnpackOptions): Promise<Digest | undefined>;
}

/** A writable layer over a chain, for a container or a build step. Paths are absolute. */
export interface Snapshot {
  readonly key: string;
  readonly id: string;
  readonly parent?: Digest;
  readonly upper: string;
  readonly work: string;
  /** Folders of the lower layers, nearest first. */
  readonly lowers: readonly string[];
}

/** What mount(2) needs: change to `cwd` first, names are relative to it. */
export interface OverlayMountData {
  readonly cwd: string;
  readonly options: string;
}

export interface SnapshotStore {
  /** Errors: "conflict" the key is taken; "not-found" the parent is not unpacked, or a layer below it is gone. */
  prepare(key: string, parent: Digest | undefined): Snapshot;
  get(key: string): Snapshot | undefined;
  list(): Snapshot[];
  overlayMountData(snapshot: Snapshot): OverlayMountData;
  /** Overlay over a chain without an upper, read-only. */
  readOnlyMountData(parent: Digest): OverlayMountData;
  /** Writes the upper as a layer blob: whiteouts, order, times and bytes as format 1 says. */
  write(snapshot: Snapshot, options: WriteLayerOptions, run?: UnpackOptions): Promise<WrittenLayer>;
  /**
   * Makes the upper a layer without copying; the key is free again. Unmount first. When the chain exists already the
   * upper is dropped. Error "not-found".
   */
  commit(snapshot: Snapshot, layer: CommittedLayer): LayerRecord;
  /** Missing is no error. Files go in the background. */
  remove(key: string): void;
  /** Bytes and files of the upper now. Walks it in a Worker. */
  usage(key: string): Promise<{ readonly bytes: number; readonly files: number }>;
}

/** A {@link WrittenLayer} fits. */
export interface CommittedLayer {
  readonly diffId: Digest;
  readonly digest: Digest;
  readonly contentBytes?: number;
  readonly entries?: number;
}

export type Held = { readonly blob: Digest } | { readonly image: Digest } | { readonly chain: Digest };

/** Keeps things from `collect` while it lives; ends with the process. */
export interface Lease extends Disposable {
  readonly id: number;
  add(held: Held): void;
}

export interface LeaseStore {
  begin(why: string): Lease;
  /** Durable: survives restarts until `expires` (milliseconds since 1970; default never) or `unpin`. */
  pin(owner: string, held: Held, expires?: number): void;
  unpin(owner: string, held?: Held): void;
}

export interface CollectOptions {
  readonly signal?: AbortSignal;
  /** Content younger than this stays, in milliseconds; default 0. */
  readonly grace?: number;
  readonly onProgress?: (removed: Collected) => void;
}

export interface Collected {
  readonly blobs: number;
  readonly layers: number;
  readonly bytes: number;
}

export type Finding = {
  readonly kind:
    | "blob-missing"
    | "blob-size"
    | "blob-digest"
    | "blob-unnamed"
    | "layer-missing"
    | "layer-unnamed"
    | "layer-orphan"
    | "snapshot-missing"
    | "image-broken"
    | "ingest-left"
    | "database";
  /** Digest, folder or name. */
  readonly on: string;
  readonly because: string;
  /** What `repair` does about it, in words. */
  readonly remedy: string;
};

export interface CheckOptions {
  /** Hash every blob again (bulk); without it only presence and sizes. */
  readonly deep?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, of: number) => void;
}

export interface StoreUsage {
  readonly blobs: { readonly count: number; readonly bytes: number };
  readonly layers: { readonly count: number; readonly bytes: number };
  readonly snapshots: { readonly count: number };
  readonly images: { readonly count: number; readonly dangling: number };
}

/** Care of the whole. */
export interface StoreCare {
  /** Online: removes what no image, snapshot, lease or pin reaches and what is not newer than its own beginning. */
  collect(options?: CollectOptions): Promise<Collected>;
  check(options?: CheckOptions): Promise<Finding[]>;
  /** Does each finding's remedy; gives what remains. Layers with a blob are unpacked again. */
  repair(findings: readonly Finding[], options?: { readonly signal?: AbortSignal }): Promise<Finding[]>;
  /** From rows alone. */
  usage(): StoreUsage;
}

export interface Store extends StoreCare, AsyncDisposable {
  /** The data root. */
  readonly root: string;
  readonly blobs: BlobStore;
  readonly images: ImageStore;
  readonly layers: LayerStore;
  readonly snapshots: SnapshotStore;
  readonly leases: LeaseStore;
}
