import { GantryError, isKind } from "#base/core/errors.ts";
import type { Engine } from "#engine/contract.ts";
import type { ImageRecord } from "#images/store/contract.ts";

/** Docker's clients read "No such image" and pull by themselves. */
export function findImage(engine: Engine, name: string): ImageRecord {
  try {
    return engine.store.images.resolve(name);
  } catch (error) {
    if (!isKind(error, "not-found")) throw error;
    throw new GantryError("not-found", {
      doing: "find the image",
      on: name,
      because: `No such image: ${name}`,
      next: "Pull, build, load or import it first.",
      cause: error,
    });
  }
}
