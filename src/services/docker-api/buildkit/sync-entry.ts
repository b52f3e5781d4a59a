import { GantryError } from "#base/core/errors.ts";
import type { TarEntry } from "#formats/tar/contract.ts";
import { tarEntry } from "#formats/tar/writer.ts";
import { permissionsOf, type typeOf } from "./file-modes.ts";
import type { Stat } from "./protos/session.gen.ts";

/** The kinds of packet, in both directions. */
export const packetKinds = { stat: 0, request: 1, data: 2, end: 3, error: 4 } as const;

/** A client's file as a tar's. Its time says nothing to a build. */
export function entryOf(stat: Stat, type: ReturnType<typeof typeOf> | "hardlink"): TarEntry {
  const name = Buffer.from(type === "directory" ? `${stat.path}/` : stat.path);
  const common = { name, mode: permissionsOf(stat.mode), modified: { seconds: 0, nanoseconds: 0 } };
  if (type === "file") return tarEntry({ ...common, type, size: Math.max(0, Number(stat.size)) });
  if (type === "directory") return tarEntry({ ...common, type });
  if (type === "symlink" || type === "hardlink") {
    return tarEntry({ ...common, type, linkName: Buffer.from(stat.linkname) });
  }
  throw new GantryError("unsupported", {
    doing: "receive the build context",
    on: stat.path,
    because: "it is neither a file, a folder nor a link",
    next: "Leave it out with .dockerignore.",
  });
}

export function shown(entry: TarEntry): string {
  return Buffer.from(entry.name).toString();
}

export function broken(kind: "corrupt" | "conflict" | "invalid", on: string, because: string): GantryError {
  return new GantryError(kind, { doing: "receive from the client's session", on, because });
}
