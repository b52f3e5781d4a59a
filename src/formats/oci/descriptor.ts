import type { Descriptor, Platform } from "./contract.ts";
import { isDigest } from "./digest.ts";
import { compact, type Fields } from "./json-fields.ts";

// RFC 6838 4.2, as the image-spec's JSON schema has it.
const mediaTypePattern = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/;

export function isMediaType(text: string): boolean {
  return mediaTypePattern.test(text);
}

/** image-spec, descriptor.md. Error "invalid". */
export function readDescriptor(fields: Fields): Descriptor {
  const mediaType = fields.requiredString("mediaType");
  if (!isMediaType(mediaType)) fields.refuse(`${fields.at("mediaType")} is no media type`);
  const digest = fields.requiredString("digest");
  if (!isDigest(digest)) fields.refuse(`${fields.at("digest")} is no sha256 or sha512 digest`);
  const size = fields.requiredInteger("size");
  if (size < 0) fields.refuse(`${fields.at("size")} is below 0`);
  const platform = fields.object("platform");
  return compact<Descriptor>({
    mediaType,
    digest,
    size,
    urls: fields.strings("urls"),
    annotations: fields.textMap("annotations"),
    data: fields.string("data"),
    artifactType: fields.string("artifactType"),
    platform: platform === undefined ? undefined : readPlatform(platform),
  });
}

export function readPlatform(fields: Fields): Platform {
  return compact<Platform>({
    os: fields.requiredString("os"),
    architecture: fields.requiredString("architecture"),
    variant: fields.string("variant"),
    "os.version": fields.string("os.version"),
    "os.features": fields.strings("os.features"),
  });
}
