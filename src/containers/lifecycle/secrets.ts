import { existsSync } from "node:fs";
import { join } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import type { MountSpec } from "#containers/runtime/contract.ts";
import type { Context, Entry } from "./context.ts";
import type { Secret } from "./contract.ts";
import { clearSecrets, keepSecrets } from "./tasks.ts";

/** See `Containers.giveSecrets`. Call it inside `entry.serial`. */
export async function giveSecrets(context: Context, entry: Entry, secrets: readonly Secret[]): Promise<void> {
  if (entry.running) {
    throw new GantryError("conflict", {
      doing: "give secrets to the container",
      on: entry.record.name,
      because: "it runs already",
      next: "Give them before it starts.",
    });
  }
  await context.kernel.run(keepSecrets, { folder: entry.paths.secrets, secrets });
  entry.set({ secrets: secrets.map(({ target }) => ({ target })) });
  context.table.update("secrets", entry.record);
}

export async function forgetSecrets(context: Context, { record, paths }: Entry): Promise<void> {
  if (record.secrets !== undefined) await context.kernel.run(clearSecrets, { folder: paths.secrets });
}

/** Binds of the files. Errors: "unavailable" when the machine was started anew since they were given. */
export function secretMounts({ record, paths }: Entry): MountSpec[] {
  return (record.secrets ?? []).map(({ target }, index) => {
    const source = join(paths.secrets, String(index));
    if (existsSync(source)) return { type: "bind", source, target, readonly: true };
    throw new GantryError("unavailable", {
      doing: "start the container",
      on: record.name,
      because: "its secrets are gone: they are kept in memory alone, and the machine was started anew",
      next: "Make it again with --secret.",
    });
  });
}
