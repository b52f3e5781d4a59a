import type { Engine } from "#engine/contract.ts";

/** Containers, by name, that use the volume. */
export function usersOf(engine: Engine, name: string): string[] {
  return engine.containers
    .list()
    .filter((record) => record.volumes.some((use) => use.name === name))
    .map((record) => record.name);
}
