import { type ErrorKind, GantryError } from "#base/core/errors.ts";
import type { Digest } from "#formats/oci/contract.ts";

const ofTheContent: readonly ErrorKind[] = ["corrupt", "invalid", "unsupported"];

/** An error of unpacking, named by image and layer when the layer's bytes are at fault; any other stays as it is. */
export function layerFault(error: unknown, doing: string, image: string, layer: Digest): unknown {
  if (!(error instanceof GantryError) || !ofTheContent.includes(error.kind)) return error;
  const { on, because } = error.parts;
  const where = on === undefined || on === layer ? "" : `, at "${on}"`;
  return new GantryError(error.kind, {
    doing,
    on: image,
    because: `its layer ${layer}${where}: ${because}`,
    next: "Ask who made the image to build it again.",
    cause: error,
  });
}
