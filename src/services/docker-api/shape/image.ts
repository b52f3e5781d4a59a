import type { ImageHistoryItem, ImageInspect, ImageSummary } from "#formats/docker/image.ts";
import { familiarReference, familiarRepository, parseReference } from "#formats/oci/reference.ts";
import type { ImageRecord, ResolvedImage } from "#images/store/contract.ts";
import { zeroTime } from "./time.ts";

/** Names with a tag, as users write them. */
export function repoTags(record: ImageRecord): string[] {
  return record.names
    .map(parseReference)
    .flatMap((reference) => (reference.digest === undefined ? [familiarReference(reference)] : []));
}

/** "repository@digest" for every repository the image has a name in. */
export function repoDigests(record: ImageRecord): string[] {
  return [...new Set(record.names.map((name) => `${familiarRepository(parseReference(name))}@${record.id}`))];
}

function seconds(rfc3339: string | undefined): number {
  const parsed = Date.parse(rfc3339 ?? "");
  return Number.isNaN(parsed) ? 0 : Math.floor(parsed / 1000);
}

export function imageSummary(image: ResolvedImage, containers: number): ImageSummary {
  return {
    Id: image.record.id,
    ParentId: "",
    RepoTags: repoTags(image.record),
    RepoDigests: repoDigests(image.record),
    Created: seconds(image.config.created),
    Size: image.size,
    SharedSize: -1,
    Labels: image.config.config?.Labels ?? null,
    Containers: containers,
  };
}

export function imageInspect(image: ResolvedImage): ImageInspect {
  const { config, record } = image;
  return {
    Id: record.id,
    RepoTags: repoTags(record),
    RepoDigests: repoDigests(record),
    Parent: "",
    Comment: config.history?.at(-1)?.comment ?? "",
    Created: config.created ?? zeroTime,
    Author: config.author ?? "",
    Config: config.config ?? {},
    Architecture: config.architecture,
    ...(config.variant === undefined ? {} : { Variant: config.variant }),
    Os: config.os,
    Size: image.size,
    GraphDriver: { Name: "overlay2", Data: null },
    RootFS: { Type: "layers", Layers: config.rootfs.diff_ids },
    Metadata: { LastTagTime: new Date(record.created).toISOString() },
    Descriptor: { mediaType: record.target.mediaType, digest: record.target.digest, size: record.target.size },
  };
}

/** Newest first; sizes are those of the compressed layers. */
export function imageHistory(image: ResolvedImage): ImageHistoryItem[] {
  const sizes = image.manifest.layers.map((layer) => layer.size);
  const entries = image.config.history ?? sizes.map(() => ({}));
  const items = entries.map((entry): ImageHistoryItem => {
    const empty = "empty_layer" in entry && entry.empty_layer === true;
    return {
      Id: "<missing>",
      Created: seconds("created" in entry ? entry.created : undefined),
      CreatedBy: ("created_by" in entry ? entry.created_by : undefined) ?? "",
      Tags: null,
      Size: empty ? 0 : (sizes.shift() ?? 0),
      Comment: ("comment" in entry ? entry.comment : undefined) ?? "",
    };
  });
  const last = items.at(-1);
  if (last !== undefined) items[items.length - 1] = { ...last, Id: image.record.id, Tags: repoTags(image.record) };
  return items.reverse();
}
