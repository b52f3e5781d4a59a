import { GantryError } from "#base/core/errors.ts";
import { credentialsOf } from "#engine/image-work.ts";
import { type Descriptor, documentLimit, type Platform } from "#formats/oci/contract.ts";
import { digestOf } from "#formats/oci/digest.ts";
import { parseDocument } from "#formats/oci/document.ts";
import { parseImageConfig } from "#formats/oci/image-config.ts";
import { parseReference, withDefaultTag } from "#formats/oci/reference.ts";
import type { Repository, ResolvedDocument } from "#images/distribution/contract.ts";
import { openRepository } from "#images/distribution/repository.ts";
import type { Answer, Call, Route } from "../contract.ts";
import { authOf } from "./images.ts";

/** What a registry has under a name, asked without pulling it. */
export function distributionRoutes(): Route[] {
  return [{ method: "GET", path: "/distribution/:name{.+}/json", handle: inspect }];
}

async function inspect(call: Call): Promise<Answer> {
  const reference = withDefaultTag(parseReference(call.params.name!));
  const { auth } = authOf(call);
  const credentials = auth === undefined ? {} : { credentials: credentialsOf(auth) };
  const repository = openRepository({ reference, actions: ["pull"], ...credentials });
  const document = await repository.resolve(reference.digest ?? reference.tag!, call.signal);
  const { mediaType, digest, size } = document.descriptor;
  return {
    status: 200,
    json: { Descriptor: { mediaType, digest, size }, Platforms: await platformsOf(repository, document, call.signal) },
  };
}

async function platformsOf(
  repository: Repository,
  { bytes, descriptor }: ResolvedDocument,
  signal: AbortSignal,
): Promise<Platform[]> {
  const document = parseDocument(bytes, { mediaType: descriptor.mediaType });
  if (document.kind === "index") return document.index.manifests.flatMap(({ platform }) => platform ?? []);
  const { os, architecture, variant } = parseImageConfig(await read(repository, document.manifest.config, signal));
  return [{ os, architecture, ...(variant === undefined ? {} : { variant }) }];
}

/** A small blob whole, and what its digest says. */
async function read(repository: Repository, blob: Descriptor, signal: AbortSignal): Promise<Uint8Array> {
  const wrong = (because: string) =>
    new GantryError("corrupt", { doing: "read the image's config", on: blob.digest, because });
  if (blob.size > documentLimit) throw wrong(`it has ${blob.size} bytes`);
  const pieces: Uint8Array[] = [];
  const { stream } = await repository.openBlob(blob, 0, signal);
  let length = 0;
  for await (const piece of stream) {
    length += piece.length;
    if (length > blob.size) throw wrong("it has more bytes than the manifest says");
    pieces.push(piece);
  }
  const bytes = Buffer.concat(pieces);
  if (digestOf(bytes) !== blob.digest) throw wrong("its bytes have another digest");
  return bytes;
}
