import { join } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import type { Resources } from "#containers/runtime/contract.ts";
import type { Context, Entry } from "./context.ts";
import type { ContainerUpdate } from "./contract.ts";

/** First the kernel, then the record: a refused limit changes neither. Call it inside `entry.serial`. */
export async function updateContainer(context: Context, entry: Entry, change: ContainerUpdate): Promise<void> {
  const { record } = entry;
  if (change.restart !== undefined && record.config.autoRemove && change.restart.name !== "no") {
    throw new GantryError("invalid", {
      doing: "change the restart policy of the container",
      on: record.name,
      because: "it is removed when it ends",
      next: "Create it without --rm.",
    });
  }
  const resources = merged(record.config.resources ?? {}, change.resources ?? {});
  if (change.resources !== undefined && entry.running) {
    await context.runtime.update(record.id, join(entry.paths.run, "resources.json"), resources);
  }
  entry.set({
    config: { ...record.config, resources, ...(change.restart === undefined ? {} : { restart: change.restart }) },
  });
  context.table.update("update", entry.record);
  context.emit("update", entry.record);
}

/** A new memory limit alone keeps the room for swap what it was before, which the kernel wants above it. */
function merged(before: Resources, change: Resources): Resources {
  const all = { ...before, ...change };
  const { memory, memorySwap } = all;
  if (change.memorySwap !== undefined || memory === undefined || memorySwap === undefined) return all;
  if (memorySwap === -1 || memorySwap >= memory) return all;
  throw new GantryError("conflict", {
    doing: "limit memory to",
    on: String(memory),
    because: `Memory limit should be smaller than already set memoryswap limit of ${memorySwap}`,
    next: "Update the memoryswap at the same time.",
  });
}
