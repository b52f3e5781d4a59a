import { posix } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import { type Digest, documentLimit } from "#formats/oci/contract.ts";
import { parseDigest } from "#formats/oci/digest.ts";
import type { TarEntry } from "#formats/tar/contract.ts";
import { detectCompression, detectionBytes } from "#formats/tar/decompress.ts";
import { entriesOf } from "#formats/tar/streams.ts";
import type { BlobStore, Lease } from "#images/store/contract.ts";
import type { LoadOptions } from "./contract.ts";

export interface ArchivedBlob {
  readonly digest: Digest;
  readonly size: number;
  readonly compression: ReturnType<typeof detectCompression>;
}

/** What an archive holds, its blobs in the store already, under the names the archive gives them. */
export interface ArchiveContent {
  /** By path in the archive; links are resolved. */
  blob(path: string): ArchivedBlob | undefined;
  readonly documents: ReadonlyMap<string, Uint8Array>;
}

/** Documents that say what the archive is. */
const documentNames: readonly string[] = ["manifest.json", "index.json", "oci-layout"];
/** Written beside them by Docker; says nothing that they do not. */
const ignoredNames = /^(repositories|.*\/(VERSION|json))$/;
const blobPath = /^blobs\/([^/]+)\/([^/]+)$/;
const refMark = "archive";

export async function readArchive(
  tar: ReadableStream<Uint8Array>,
  blobs: BlobStore,
  lease: Lease,
  options: LoadOptions,
): Promise<ArchiveContent> {
  const documents = new Map<string, Uint8Array>();
  const found = new Map<string, ArchivedBlob>();
  const links = new Map<string, string>();
  let bytes = 0;
  const counted = (async function* () {
    for await (const chunk of tar) {
      options.signal?.throwIfAborted();
      bytes += chunk.length;
      options.onProgress?.({ phase: "reading", bytes });
      yield chunk;
    }
  })();
  for await (const { entry, content } of entriesOf(counted)) {
    const path = checkedPath(entry);
    if (entry.type === "symlink") links.set(path, linkTarget(posix.dirname(path), entry));
    else if (entry.type === "hardlink") links.set(path, linkTarget("", entry));
    else if (entry.type === "file" && documentNames.includes(path))
      documents.set(path, await whole(path, entry, content));
    else if (entry.type === "file" && !ignoredNames.test(path)) {
      const wanted = wantedDigest(path);
      found.set(path, await take(blobs, lease, path, wanted, entry.size, content));
    }
  }
  const resolve = (path: string, depth: number): ArchivedBlob | undefined => {
    const target = links.get(path);
    return target !== undefined && depth < 8 ? resolve(target, depth + 1) : found.get(path);
  };
  return { documents, blob: (path) => resolve(posix.normalize(path), 0) };
}

/** Names are keys only and never become paths; still, one that climbs is refused: nobody writes that in good faith. */
function checkedPath(entry: TarEntry): string {
  const text = Buffer.from(entry.name).toString("utf8");
  const path = posix.normalize(text).replace(/\/$/, "");
  if (text.startsWith("/") || text.split("/").includes("..")) refuse(text, "its name leads out of the archive");
  return path;
}

function linkTarget(folder: string, entry: TarEntry): string {
  const text = Buffer.from(entry.linkName).toString("utf8");
  const target = posix.normalize(posix.join(folder, text));
  if (text.startsWith("/") || target.startsWith("..")) refuse(text, "a link leads out of the archive");
  return target;
}

function wantedDigest(path: string): Digest | undefined {
  const match = blobPath.exec(path);
  return match === null ? undefined : parseDigest(`${match[1]}:${match[2]}`);
}

async function whole(path: string, entry: TarEntry, content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  if (entry.size > documentLimit) refuse(path, `it has ${entry.size} bytes, more than ${documentLimit}`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function take(
  blobs: BlobStore,
  lease: Lease,
  path: string,
  wanted: Digest | undefined,
  size: number,
  content: AsyncIterable<Uint8Array>,
): Promise<ArchivedBlob> {
  if (wanted !== undefined) lease.add({ blob: wanted });
  const ref = `${refMark} ${lease.id} ${path}`;
  const ingest = await blobs.ingest(ref, { size, ...(wanted === undefined ? {} : { digest: wanted }) });
  let done = false;
  const first: number[] = [];
  try {
    for await (const chunk of content) {
      for (let i = 0; i < chunk.length && first.length < detectionBytes; i++) first.push(chunk[i]!);
      ingest.write(chunk);
    }
    const info = await ingest.commit();
    done = true;
    lease.add({ blob: info.digest });
    return { digest: info.digest, size: info.size, compression: detectCompression(Uint8Array.from(first)) };
  } finally {
    // A tar cannot be resumed: half a blob is of no use.
    if (!done) ingest.abandon();
    await ingest[Symbol.asyncDispose]();
  }
}

export function refuse(on: string, because: string): never {
  throw new GantryError("invalid", {
    doing: "load the archive's entry",
    on: on.slice(0, 200),
    because,
    next: "Make the archive again with `docker save`, `gantry save` or `skopeo copy`.",
  });
}
