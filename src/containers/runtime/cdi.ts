import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import type { DeviceSpec, MountSpec } from "./contract.ts";

/** Parts of the Container Device Interface's documents that are applied. */
interface Edits {
  readonly env?: readonly string[];
  readonly deviceNodes?: readonly {
    readonly path: string;
    readonly hostPath?: string;
    readonly permissions?: string;
  }[];
  readonly mounts?: readonly {
    readonly hostPath: string;
    readonly containerPath: string;
    readonly options?: readonly string[];
  }[];
  readonly hooks?: readonly unknown[];
  readonly additionalGIDs?: readonly number[];
}

interface Document {
  readonly kind?: string;
  readonly devices?: readonly { readonly name: string; readonly containerEdits?: Edits }[];
  readonly containerEdits?: Edits;
}

export interface CdiParts {
  readonly env: readonly string[];
  readonly devices: readonly DeviceSpec[];
  readonly mounts: readonly MountSpec[];
  readonly groups: readonly string[];
}

export const cdiFolders: readonly string[] = ["/etc/cdi", "/var/run/cdi"];

/**
 * What devices named "vendor.com/class=name" bring into a container. Errors: "not-found", naming what is not there;
 * "unsupported" for one that wants programs run on the host, which no container's file may ask for.
 */
export function cdiParts(names: readonly string[], folders: readonly string[] = cdiFolders): CdiParts {
  const documents = folders.flatMap(documentsIn);
  const edits = names.flatMap((name) => {
    const [kind, device] = name.split("=");
    const document = documents.findLast(
      (each) => each.kind === kind && each.devices?.some((one) => one.name === device),
    );
    if (document === undefined) {
      throw new GantryError("not-found", {
        doing: "give the device",
        on: name,
        because: `CDI device injection failed: unresolvable CDI devices ${name}`,
        next: `Its specification belongs into ${folders.join(" or ")}.`,
      });
    }
    const own = document.devices?.find((one) => one.name === device)?.containerEdits ?? {};
    const both = [document.containerEdits ?? {}, own];
    if (both.some(({ hooks = [] }) => hooks.length > 0)) {
      throw new GantryError("unsupported", {
        doing: "give the device",
        on: name,
        because: "its specification wants programs run on the host (hooks)",
        next: "Make one without hooks, or give its nodes with --device.",
      });
    }
    return both;
  });
  return {
    env: edits.flatMap(({ env = [] }) => env),
    groups: edits.flatMap(({ additionalGIDs = [] }) => additionalGIDs.map(String)),
    devices: edits.flatMap(({ deviceNodes = [] }) =>
      deviceNodes.map(({ path, hostPath = path, permissions }) => ({
        source: hostPath,
        target: path,
        ...(permissions === undefined ? {} : { access: permissions }),
      })),
    ),
    mounts: edits.flatMap(({ mounts = [] }) =>
      mounts.map(({ hostPath, containerPath, options = [] }) => ({
        type: "bind" as const,
        source: hostPath,
        target: containerPath,
        readonly: options.includes("ro"),
      })),
    ),
  };
}

function documentsIn(folder: string): Document[] {
  let names: string[];
  try {
    names = readdirSync(folder).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return [];
  }
  // JSON is YAML too.
  return names
    .filter((name) => /\.(json|ya?ml)$/.test(name))
    .map((name) => Bun.YAML.parse(readFileSync(join(folder, name), "utf8")) as Document);
}
