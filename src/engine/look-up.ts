import type { Descriptor, Platform } from "#formats/oci/contract.ts";
import { parseDocument } from "#formats/oci/document.ts";
import { parseImageConfig } from "#formats/oci/image-config.ts";
import { parseReference, withDefaultTag } from "#formats/oci/reference.ts";
import type { Credentials, Repository } from "#images/distribution/contract.ts";
import { openRepository } from "#images/distribution/repository.ts";

/** What a registry has under a name, without pulling it. Errors: those of distribution. */
export async function lookUp(
  name: string,
  credentials: Credentials | undefined,
  signal: AbortSignal,
): Promise<{ readonly descriptor: Descriptor; readonly platforms: readonly Platform[] }> {
  const reference = withDefaultTag(parseReference(name));
  const repository = openRepository({
    reference,
    actions: ["pull"],
    ...(credentials === undefined ? {} : { credentials }),
  });
  const target = reference.digest ?? reference.tag ?? "latest";
  const { descriptor, bytes } = await repository.resolve(target, signal);
  const document = parseDocument(bytes, { mediaType: descriptor.mediaType });
  if (document.kind === "index") {
    const platforms = document.index.manifests.flatMap(({ platform }) => (platform === undefined ? [] : [platform]));
    return { descriptor, platforms: platforms.filter(({ os }) => os !== "unknown") };
  }
  return { descriptor, platforms: [await platformIn(repository, document.manifest.config, signal)] };
}

async function platformIn(repository: Repository, config: Descriptor, signal: AbortSignal): Promise<Platform> {
  const { stream } = await repository.openBlob(config, 0, signal);
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  const { os, architecture, variant } = parseImageConfig(Buffer.concat(pieces));
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}
