import { GantryError, isKind } from "#base/core/errors.ts";
import type { Engine } from "#engine/contract.ts";
import type { Platform } from "#formats/oci/contract.ts";
import { formatPlatform, hostPlatform, parsePlatform, platformFit } from "#formats/oci/platform.ts";
import type { ImageRecord, ResolvedImage } from "#images/store/contract.ts";
import type { Call } from "./contract.ts";

/** ?platform=, as "linux/arm64" or as newer clients' JSON. Error "invalid". */
export function platformOf(call: Call): Platform | undefined {
  const text = call.query.get("platform");
  if (text === null || text === "") return undefined;
  if (!text.startsWith("{")) return parsePlatform(text);
  const { os, architecture, variant } = jsonPlatform(text);
  return parsePlatform([os, architecture, ...(variant ? [variant] : [])].join("/"));
}

function jsonPlatform(text: string): { os: string; architecture: string; variant?: string } {
  try {
    return JSON.parse(text) as { os: string; architecture: string; variant?: string };
  } catch (cause) {
    throw new GantryError("invalid", { doing: "read the platform", on: text, because: "it is not JSON", cause });
  }
}

/** The image for a platform; one that has nothing for it is as good as missing, and said in Docker's words. */
export async function openFor(
  engine: Engine,
  record: ImageRecord,
  name: string,
  platform: Platform | undefined,
): Promise<ResolvedImage> {
  try {
    return await engine.store.images.open(record, platform);
  } catch (error) {
    if (!isKind(error, "not-found")) throw error;
    const wanted = formatPlatform(platform ?? hostPlatform());
    throw new GantryError("not-found", {
      doing: "find the image",
      on: name,
      because: `image with reference ${name} was found but does not provide the specified platform (${wanted})`,
      next: `Pull it with --platform ${wanted}, or choose one that it has.`,
      cause: error,
    });
  }
}

/** For looking only: without a platform the host's is shown, else the first that is here. */
export async function openToShow(
  engine: Engine,
  record: ImageRecord,
  name: string,
  platform: Platform | undefined,
): Promise<ResolvedImage> {
  const wanted = platform === undefined ? await shownPlatform(engine, record) : platform;
  return openFor(engine, record, name, wanted);
}

async function shownPlatform(engine: Engine, record: ImageRecord): Promise<Platform | undefined> {
  const manifests = await engine.store.images.manifests(record);
  const here = manifests.flatMap(({ available, platform }) => (available && platform !== undefined ? [platform] : []));
  const host = hostPlatform();
  return here.some((offered) => platformFit(host, offered) > 0) ? undefined : here[0];
}

/** What Docker warns of when nobody asked for a platform and the image is not for this one. */
export function platformWarnings({ config }: ResolvedImage, asked: Platform | undefined): string[] {
  const host = hostPlatform();
  if (asked !== undefined || platformFit(host, config) > 0) return [];
  return [
    `The requested image's platform (${formatPlatform(config)}) does not match the detected host platform (${formatPlatform(host)}) and no specific platform was requested`,
  ];
}
