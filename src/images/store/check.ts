import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, isKind } from "#base/core/errors.ts";
import type { Digest } from "#formats/oci/contract.ts";
import { digestAlgorithm, parseDigest } from "#formats/oci/digest.ts";
import type { CollectParts } from "./collect.ts";
import { emptyLayer, folders } from "./context.ts";
import type { BlobInfo, CheckOptions, Finding } from "./contract.ts";
import { dropFile, isDropped } from "./drop-file.ts";
import { hashFile, removeTrees } from "./tasks.ts";

const staleIngestMs = 7 * 24 * 3600 * 1000;

/** Compares rows with files. Finds; changes nothing. */
export async function check(parts: CollectParts, options: CheckOptions): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const line of parts.context.database.integrity())
    findings.push({
      kind: "database",
      on: parts.context.database.path,
      because: line,
      remedy: "restore it from a backup",
    });
  await checkBlobs(parts, options, findings);
  checkUnnamed(parts, findings);
  checkLayers(parts, findings);
  await checkImages(parts, findings);
  return findings;
}

async function checkBlobs(parts: CollectParts, options: CheckOptions, findings: Finding[]): Promise<void> {
  const infos = parts.blobs.list();
  for (const [index, info] of infos.entries()) {
    options.signal?.throwIfAborted();
    const state = await parts.blobs.looksWhole(info);
    const remedy = "forget it, so that the next pull or load brings it again";
    if (state === "missing")
      findings.push({ kind: "blob-missing", on: info.digest, because: "its file is gone", remedy });
    else if (state === "size")
      findings.push({
        kind: "blob-size",
        on: info.digest,
        because: `its file does not have ${info.size} bytes`,
        remedy,
      });
    else if (options.deep) await checkDigest(parts, info, options, findings, remedy);
    options.onProgress?.(index + 1, infos.length);
  }
}

async function checkDigest(
  parts: CollectParts,
  info: BlobInfo,
  options: CheckOptions,
  findings: Finding[],
  remedy: string,
) {
  const { bulk, root } = parts.context;
  const args = { path: folders.blob(root, info.digest), algorithm: digestAlgorithm(info.digest) };
  const run = options.signal === undefined ? {} : { signal: options.signal };
  const { digest } = await bulk.run(hashFile, args, run);
  if (digest !== info.digest)
    findings.push({ kind: "blob-digest", on: info.digest, because: `its bytes are ${digest}`, remedy });
}

function checkUnnamed(parts: CollectParts, findings: Finding[]): void {
  const { context, blobs } = parts;
  for (const path of unnamedBlobs(parts))
    findings.push({ kind: "blob-unnamed", on: path, because: "no record names it", remedy: "remove the file" });
  for (const path of unnamedLayers(parts))
    findings.push({ kind: "layer-unnamed", on: path, because: "no record names it", remedy: "remove the folder" });
  const ingest = folders.ingest(context.root);
  for (const id of readdirSync(ingest)) {
    if (blobs.writing.has(id) || isDropped(id)) continue;
    const age = context.clock.now() - statSync(join(ingest, id)).mtimeMs;
    if (age > staleIngestMs)
      findings.push({
        kind: "ingest-left",
        on: id,
        because: "nobody went on with it for a week",
        remedy: "remove the file",
      });
  }
}

/** Files in blobs/ that no row names. */
export function unnamedBlobs({ context, blobs }: CollectParts): string[] {
  const named = [...blobs.list().map(({ digest }) => digest), ...blobs.naming.digests];
  const known = new Set(named.map((digest) => folders.blob(context.root, digest)));
  const found: string[] = [];
  for (const algorithm of readdirSync(folders.blobs(context.root)))
    for (const name of readdirSync(folders.blobs(context.root, algorithm))) {
      const path = join(folders.blobs(context.root, algorithm), name);
      if (!known.has(path)) found.push(path);
    }
  return found;
}

/** Folders in layers/ that no row names. */
export function unnamedLayers({ context }: CollectParts): string[] {
  const rows = context.database.all<{ id: string }>("SELECT id FROM layers UNION SELECT id FROM snapshots");
  const known = new Set([emptyLayer, ...rows.map((row) => row.id)]);
  return readdirSync(folders.layers(context.root))
    .filter((id) => !known.has(id))
    .map((id) => folders.layer(context.root, id));
}

function checkLayers({ context, layers }: CollectParts, findings: Finding[]): void {
  for (const layer of layers.list()) {
    if (layer.parent !== undefined && layers.get(layer.parent) === undefined)
      findings.push({
        kind: "layer-orphan",
        on: layer.chainId,
        because: `the layer ${layer.parent} it lies on is gone`,
        remedy: "forget it, so that it is unpacked again when needed",
      });
    else if (!existsSync(folders.files(context.root, layer.id)))
      findings.push({
        kind: "layer-missing",
        on: layer.chainId,
        because: "its folder is gone",
        remedy: "unpack it again",
      });
  }
  for (const row of context.database.all<{ key: string; id: string }>("SELECT key, id FROM snapshots"))
    if (!existsSync(folders.files(context.root, row.id)) || !existsSync(folders.work(context.root, row.id)))
      findings.push({
        kind: "snapshot-missing",
        on: row.key,
        because: "its folder is gone",
        remedy: "make it again, empty",
      });
}

async function checkImages({ images, blobs, documents }: CollectParts, findings: Finding[]): Promise<void> {
  for (const image of images.list()) {
    const on = image.names[0] ?? image.id;
    const remedy = `pull or load it again${image.names[0] === undefined ? "" : `: gantry pull ${image.names[0]}`}`;
    const broken = (because: string) => findings.push({ kind: "image-broken", on, because, remedy });
    if (!blobs.has(image.target.digest)) {
      broken(`its manifest ${image.target.digest} is gone`);
      continue;
    }
    try {
      const here = (await images.manifests(image)).filter((manifest) => blobs.has(manifest.descriptor.digest));
      if (here.length === 0) broken("none of its platforms is here");
      for (const manifest of here) {
        const document = await documents.document(manifest.descriptor);
        if (document.kind === "index") continue;
        const parts = [document.manifest.config, ...document.manifest.layers];
        const gone = parts.find((part) => !blobs.has(part.digest));
        if (gone !== undefined) broken(`${gone.digest} is gone`);
      }
    } catch (error) {
      if (!isKind(error, "invalid") && !isKind(error, "corrupt")) throw error;
      broken(describe(error));
    }
  }
}

/** Does what each finding's remedy says; what only the user can do is left. */
export async function repair(parts: CollectParts, findings: readonly Finding[], signal?: AbortSignal): Promise<void> {
  const { context, blobs, layers, documents } = parts;
  documents.forget();
  for (const finding of findings) {
    signal?.throwIfAborted();
    if (finding.kind.startsWith("blob-") && finding.kind !== "blob-unnamed") blobs.remove(parseDigest(finding.on));
    else if (finding.kind === "blob-unnamed") dropFile(context, finding.on);
    else if (finding.kind === "layer-unnamed") await context.bulk.run(removeTrees, { paths: [finding.on] });
    else if (finding.kind === "ingest-left") blobs.discard(finding.on);
    else if (finding.kind === "snapshot-missing") remakeSnapshot(parts, finding.on);
    else if (finding.kind === "layer-orphan" || finding.kind === "layer-missing") {
      const row = layers.row(parseDigest(finding.on));
      if (row !== undefined) await unpackAgain(parts, row.chain_id, signal);
    }
  }
  await context.background.settle();
}

/** Drops the folder and, where blob and parent are there, unpacks it anew. */
export async function unpackAgain(parts: CollectParts, chainId: Digest, signal?: AbortSignal): Promise<void> {
  const { layers, blobs } = parts;
  const row = layers.row(chainId);
  if (row === undefined) return;
  layers.remove([row]);
  const blob = blobs.stat(row.blob);
  if (blob === undefined || (row.parent !== null && layers.get(row.parent) === undefined)) return;
  const descriptor = { mediaType: "", digest: blob.digest, size: blob.size };
  await layers.unpack(descriptor, row.diff_id, row.parent ?? undefined, signal === undefined ? {} : { signal });
}

function remakeSnapshot({ context }: CollectParts, key: string): void {
  const row = context.database.get<{ id: string }>("SELECT id FROM snapshots WHERE key = ?", key);
  if (row === undefined) return;
  mkdirSync(folders.files(context.root, row.id), { recursive: true, mode: 0o755 });
  mkdirSync(folders.work(context.root, row.id), { recursive: true, mode: 0o700 });
}
