/**
 * The floors of the house, from the top down, and the rooms of each in order. A floor imports only from floors above
 * it; inside a floor a room imports only from rooms named before it. docs/architecture.md says why.
 */
export interface Floor {
  readonly path: string;
  /** Rooms in order; a floor without rooms is one room. */
  readonly rooms: readonly string[];
  /** When set, the only floors or rooms it may import from, beside itself. */
  readonly only?: readonly string[];
}

const below = ["base/core", "formats", "images/distribution", "client", "tools", "cli"];

export const floors: readonly Floor[] = [
  { path: "base", rooms: ["core", "system"] },
  { path: "formats", rooms: ["oci", "docker", "dockerfile", "tar", "sif"] },
  { path: "images", rooms: ["store", "distribution", "transfer", "archive", "registry", "fetch"] },
  { path: "containers", rooms: ["network", "volume", "runtime", "lifecycle"] },
  { path: "build", rooms: [] },
  { path: "engine", rooms: [] },
  { path: "services", rooms: ["docker-api", "kubernetes", "serverless", "console"] },
  { path: "client", rooms: [], only: below },
  { path: "tools", rooms: ["context", "init", "bootstrap", "recreate", "compose", "hpc", "cloud"], only: below },
  { path: "cli", rooms: [], only: below },
];

/** Files at the top of src and Worker entries put the parts together; they may import anything. */
export const compositionRoots = ["main.ts", "workers/"];

/** The only place that may speak to libc. */
export const onlyImporterOf = { "bun:ffi": "base/system/" } as const;
