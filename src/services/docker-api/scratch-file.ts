import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Engine } from "#engine/contract.ts";

/** A file of its own for a tar on its way in or out; disposing it removes it. */
export function scratchFile(engine: Engine): { readonly path: string } & Disposable {
  const path = join(engine.scratch, `copy-${crypto.randomUUID()}.tar`);
  return { path, [Symbol.dispose]: () => rmSync(path, { force: true }) };
}
