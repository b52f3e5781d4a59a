import { readdirSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import type { DeviceRuleSpec, DeviceSpec as OciDevice } from "#formats/oci/runtime-spec.ts";
import type { DeviceRule, DeviceSpec } from "./contract.ts";

/** What every container may use: making nodes, and null, zero, full, random, urandom, tty, console, ptmx, pts. */
const ordinaryRules: readonly DeviceRuleSpec[] = [
  { allow: false, access: "rwm" },
  { allow: true, type: "c", access: "m" },
  { allow: true, type: "b", access: "m" },
  ...[
    [1, 3],
    [1, 5],
    [1, 7],
    [1, 8],
    [1, 9],
    [5, 0],
    [5, 1],
    [5, 2],
  ].map(([major, minor]) => ({ allow: true, type: "c" as const, major: major!, minor: minor!, access: "rwm" })),
  { allow: true, type: "c", major: 136, access: "rwm" },
];

export interface DeviceSet {
  readonly nodes: readonly OciDevice[];
  readonly rules: readonly DeviceRuleSpec[];
}

/** Errors: "invalid" for a path that is no device or access words other than r, w and m. */
export function devicesFor(
  asked: readonly DeviceSpec[],
  privileged: boolean,
  more: readonly DeviceRule[] = [],
): DeviceSet {
  const nodes = asked.map(({ source, target }) => nodeOf(source, target));
  if (privileged) {
    const named = new Set(nodes.map((node) => node.path));
    const all = hostDevices("/dev").filter((node) => !named.has(node.path));
    return { nodes: [...nodes, ...all], rules: [{ allow: true, access: "rwm" }] };
  }
  const rules = asked.map(({ source, access = "rwm" }, index) => {
    if (!/^[rwm]{1,3}$/.test(access)) throw refused(source, `its access "${access}" is not made of r, w and m`);
    const node = nodes[index]!;
    return { allow: true, type: node.type as "c" | "b", major: node.major!, minor: node.minor!, access };
  });
  return { nodes, rules: [...ordinaryRules, ...rules, ...more.map((rule) => ({ allow: true, ...rule }))] };
}

/** The numbers of a block device, for the limits of its throughput. Errors: "invalid". */
export function blockDevice(path: string): { readonly major: number; readonly minor: number } {
  const { type, major = 0, minor = 0 } = nodeOf(path, path);
  if (type !== "b") throw refused(path, "it is no block device");
  return { major, minor };
}

function nodeOf(source: string, target: string): OciDevice {
  let status: Stats;
  try {
    status = statSync(source);
  } catch (error) {
    throw new GantryError("invalid", {
      doing: "give the device",
      on: source,
      because: "it does not exist",
      cause: error,
    });
  }
  const node = describe(target, status);
  if (node === undefined) throw refused(source, "it is no device");
  return node;
}

function describe(path: string, status: Stats): OciDevice | undefined {
  const type = status.isCharacterDevice() ? "c" : status.isBlockDevice() ? "b" : undefined;
  if (type === undefined) return undefined;
  // makedev(3): 12 bits of major above 8 of minor, the rest of the minor above both.
  const device = status.rdev;
  const major = Math.floor(device / 256) & 0xfff;
  const minor = (device & 0xff) | (Math.floor(device / 2 ** 12) & 0xfff00);
  return { path, type, major, minor, fileMode: status.mode & 0o777, uid: status.uid, gid: status.gid };
}

/** Those the runtime makes itself, and folders that are file systems of their own. */
const left = new Set(
  "pts shm mqueue console full null ptmx random tty urandom zero fd stdin stdout stderr core".split(" "),
);

function hostDevices(folder: string): OciDevice[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (folder === "/dev" && left.has(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return hostDevices(path);
    if (!entry.isCharacterDevice() && !entry.isBlockDevice()) return [];
    const node = describe(path, statSync(path));
    return node === undefined ? [] : [node];
  });
}

function refused(on: string, because: string): GantryError {
  return new GantryError("invalid", { doing: "give the device", on, because });
}
