import { GantryError } from "#base/core/errors.ts";
import type { FileTime } from "#base/system/files/contract.ts";
import type { IdRange, WriteLayerOptions } from "../tasks.ts";

/** How a layer's entries get ids, times and xattrs, and which paths stay out. Paths are Latin-1, without leading "/". */
export class LayerRules {
  readonly #options: WriteLayerOptions;
  readonly #exact: readonly string[];
  readonly #leaveOut: ReadonlySet<string>;

  constructor(options: WriteLayerOptions) {
    this.#options = options;
    this.#exact = (options.exact ?? []).map(toLatin1Path);
    this.#leaveOut = new Set((options.leaveOut ?? []).map(toLatin1Path));
  }

  leavesOut(path: string): boolean {
    return this.#leaveOut.has(path);
  }

  /** Whole seconds: fractions differ between file systems and most tools drop them. */
  time(path: string, modified: FileTime): FileTime {
    const layerTime = this.#options.layerTime;
    const exact = this.#exact.some((prefix) => prefix === "" || path === prefix || path.startsWith(`${prefix}/`));
    return { seconds: exact ? layerTime : Math.min(modified.seconds, layerTime), nanoseconds: 0 };
  }

  get layerTime(): FileTime {
    return { seconds: this.#options.layerTime, nanoseconds: 0 };
  }

  uid(path: string, id: number): number {
    return mapBack(this.#options.uids, id, path);
  }

  gid(path: string, id: number): number {
    return mapBack(this.#options.gids, id, path);
  }

  xattrs(found: ReadonlyMap<string, Uint8Array>): Map<string, Uint8Array> {
    const kept = new Map<string, Uint8Array>();
    for (const [name, value] of found) {
      if (name.startsWith("trusted.")) continue;
      kept.set(name, name === "security.capability" ? capabilityVersion2(value) : value);
    }
    return kept;
  }
}

function toLatin1Path(path: string): string {
  return Buffer.from(path.replace(/^\/+|\/+$/g, ""), "utf8").toString("latin1");
}

function mapBack(ranges: readonly IdRange[] | undefined, id: number, path: string): number {
  if (ranges === undefined) return id;
  for (const range of ranges)
    if (id >= range.host && id < range.host + range.count) return range.container + id - range.host;
  throw new GantryError("invalid", {
    doing: "write the layer's file",
    on: Buffer.from(path, "latin1").toString(),
    because: `its owner ${id} is outside the container's ids`,
  });
}

/** linux/capability.h: version 3 names the user namespace's root on this host, which is no content. */
function capabilityVersion2(value: Uint8Array): Uint8Array {
  const version3 = 3;
  if (value.length !== 24 || value[3] !== version3) return value;
  const converted = value.slice(0, 20);
  converted[3] = 2;
  return converted;
}
