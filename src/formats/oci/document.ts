import { type Descriptor, type Document, documentLimit, type Index, type Manifest, mediaTypes } from "./contract.ts";
import { readDescriptor } from "./descriptor.ts";
import { compact, Fields } from "./json-fields.ts";

const manifestTypes: readonly string[] = [mediaTypes.manifest, mediaTypes.dockerManifest];
const indexTypes: readonly string[] = [mediaTypes.index, mediaTypes.dockerManifestList];

export function isManifestType(mediaType: string): boolean {
  return manifestTypes.includes(mediaType);
}

export function isIndexType(mediaType: string): boolean {
  return indexTypes.includes(mediaType);
}

export interface ParseDocumentOptions {
  /** The type it was announced with (Content-Type, descriptor): must be what the document says of itself. */
  readonly mediaType?: string;
}

/**
 * Reads a manifest or an index, at most 4 MiB. A document that could be taken for either is refused (CVE-2021-41190).
 * Error "invalid".
 */
export function parseDocument(bytes: Uint8Array, options: ParseDocumentOptions = {}): Document {
  const fields = Fields.parse(bytes, "read the image manifest", documentLimit);
  const version = fields.requiredInteger("schemaVersion");
  if (version === 1 || fields.has("fsLayers"))
    fields.refuse("it is a schema 1 manifest, which registries stopped serving in 2024; push the image again");
  if (version !== 2) fields.refuse(`schemaVersion is ${version}, not 2`);
  const own = fields.string("mediaType");
  if (own !== undefined && options.mediaType !== undefined && own !== options.mediaType)
    fields.refuse(`it says it is ${own} but came as ${options.mediaType}`);
  const mediaType = own ?? options.mediaType;
  if (fields.has("manifests") && (fields.has("layers") || fields.has("config")))
    fields.refuse("it has both manifests and layers, so it could be taken for either");
  const kind = kindOf(fields, mediaType);
  return kind === "index" ? { kind, index: readIndex(fields, own) } : { kind, manifest: readManifest(fields, own) };
}

function kindOf(fields: Fields, mediaType: string | undefined): Document["kind"] {
  if (mediaType === undefined) return fields.has("manifests") ? "index" : "manifest";
  if (isIndexType(mediaType)) return "index";
  return isManifestType(mediaType) ? "manifest" : fields.refuse(`${mediaType} is neither a manifest nor an index`);
}

function readManifest(fields: Fields, mediaType: string | undefined): Manifest {
  const subject = fields.object("subject");
  return compact<Manifest>({
    schemaVersion: 2,
    mediaType,
    artifactType: fields.string("artifactType"),
    config: readDescriptor(fields.requiredObject("config")),
    layers: fields.requiredObjects("layers").map(readDescriptor),
    subject: subject === undefined ? undefined : readDescriptor(subject),
    annotations: fields.textMap("annotations"),
  });
}

function readIndex(fields: Fields, mediaType: string | undefined): Index {
  const subject = fields.object("subject");
  return compact<Index>({
    schemaVersion: 2,
    mediaType,
    artifactType: fields.string("artifactType"),
    manifests: fields.requiredObjects("manifests").map(readDescriptor),
    subject: subject === undefined ? undefined : readDescriptor(subject),
    annotations: fields.textMap("annotations"),
  });
}

/** What a document names directly: of a manifest config and layers, of an index its manifests. Not the subject. */
export function childrenOf(document: Document): readonly Descriptor[] {
  return document.kind === "index" ? document.index.manifests : [document.manifest.config, ...document.manifest.layers];
}

/** Whether a layer's bytes are not for this client to fetch from the registry (deprecated nondistributable layers). */
export function isForeignLayer(mediaType: string): boolean {
  return mediaType === mediaTypes.dockerForeignLayer || mediaType.includes(".nondistributable.");
}
