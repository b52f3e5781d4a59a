import { chmodSync, chownSync, existsSync, mkdirSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openFlags, openFolder, openInside, owned } from "#base/system/files/open.ts";
import type { MountSpec } from "#containers/runtime/contract.ts";
import type { SecretSource } from "./contract.ts";
import type { BuildScope } from "./layer-step.ts";
import type { MountPlace } from "./mount-points.ts";
import type { Places } from "./places.ts";
import type { PlannedMount } from "./plan-mounts.ts";
import { copySources } from "./tasks.ts";

/** What a RUN's mounts are while it runs. Disposing lets its caches go; files beside the step go with the step. */
export interface HeldMounts extends Disposable {
  readonly specs: readonly MountSpec[];
  /** Secrets given as variables: in the process's environment and nowhere else. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface HoldOptions {
  readonly scope: BuildScope;
  readonly places: Places;
  readonly layerTime: number;
  /** A private folder of the step, gone after it. */
  readonly folder: string;
}

/** The mounts with their secrets; without those that were not given. Error "not-found": such a one is required. */
export async function withSecrets(
  mounts: readonly PlannedMount[],
  source: SecretSource | undefined,
  places: Places,
): Promise<readonly PlannedMount[]> {
  const given: PlannedMount[] = [];
  for (const mount of mounts) {
    const value = mount.kind === "secret" ? await source?.(mount.id) : undefined;
    if (mount.kind !== "secret") given.push(mount);
    else if (value !== undefined) given.push({ ...mount, value });
    else if (mount.required) {
      const next = `Give it with --secret id=${mount.id},src=FILE to docker build with buildx.`;
      throw places.wrong(mount.at, `the secret ${mount.id} was not given`, next, "not-found");
    }
  }
  return given;
}

export async function holdMounts(mounts: readonly PlannedMount[], options: HoldOptions): Promise<HeldMounts> {
  using held = new DisposableStack();
  const specs: MountSpec[] = [];
  const environment: Record<string, string> = {};
  for (const [index, mount] of mounts.entries()) {
    const folder = join(options.folder, `mount-${index}`);
    const { target } = mount;
    if (mount.kind === "tmpfs") {
      const size = mount.size === undefined ? {} : { size: mount.size };
      specs.push({ type: "tmpfs", target, mode: 0o1777, options: ["exec"], ...size });
    } else if (mount.kind === "cache") {
      const cache = held.use(await options.scope.caches.hold(mount, options.scope.signal));
      specs.push({ type: "bind", source: cache.folder, target, readonly: mount.readonly });
    } else if (mount.kind === "copy") {
      specs.push({ type: "bind", source: await copied(mount, folder, options), target, readonly: mount.readonly });
    } else if (mount.kind === "bind") {
      specs.push({ type: "bind", source: insideOf(mount, options.places), target, readonly: true });
    } else {
      const { value = new Uint8Array(), env, isFile } = mount;
      if (env !== undefined) environment[env] = Buffer.from(value).toString("utf8");
      if (isFile) specs.push({ type: "bind", source: secretFile(mount, value, folder), target, readonly: true });
    }
  }
  const kept = held.move();
  return { specs, environment, [Symbol.dispose]: () => kept.dispose() };
}

/** By COPY's rules, so that modes, owners and times are no input, and what a RUN writes there is nobody's. */
async function copied(
  { root, source }: Extract<PlannedMount, { kind: "copy" }>,
  folder: string,
  { scope, layerTime }: HoldOptions,
): Promise<string> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const args = { root, sources: [source], exclude: [], unpack: false, target: folder, destination: "/it", layerTime };
  await scope.ports.bulk.run(copySources, args, { signal: scope.signal });
  const place = join(folder, "it");
  // An empty folder, or one of which everything is ignored.
  if (!existsSync(place)) mkdirSync(place, { mode: 0o755 });
  return place;
}

/** Where the kernel finds the path inside its files: links of theirs never lead out. */
function insideOf({ folder, source, at }: Extract<PlannedMount, { kind: "bind" }>, places: Places): string {
  using top = openFolder(folder);
  const fd = openInside(top.fd, source, "in-root", openFlags.path);
  if (fd < 0) throw places.wrong(at, `there is no ${source} to mount`, undefined, "not-found");
  using opened = owned(fd);
  return readlinkSync(`/proc/self/fd/${opened.fd}`);
}

function secretFile(
  { mode, uid, gid }: Extract<PlannedMount, { kind: "secret" }>,
  value: Uint8Array,
  folder: string,
): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, "secret");
  writeFileSync(file, value, { mode: 0o600 });
  chownSync(file, uid, gid);
  chmodSync(file, mode);
  return file;
}

/** Where a mount needs something to lie on; undefined for one that takes none. */
export function placeOf(mount: PlannedMount): MountPlace | undefined {
  const { target } = mount;
  if (mount.kind === "secret") return mount.isFile ? { target, isFile: true } : undefined;
  if (mount.kind === "bind") return { target, isFile: isFile(mount.folder, mount.source) };
  if (mount.kind === "copy") return { target, isFile: isFile(mount.root.folder, mount.source.replace(/\\(.)/g, "$1")) };
  return { target, isFile: false };
}

function isFile(root: string, path: string): boolean {
  using top = openFolder(root);
  const fd = openInside(top.fd, path, "in-root", openFlags.path);
  if (fd < 0) return false;
  using opened = owned(fd);
  return !statSync(`/proc/self/fd/${opened.fd}`).isDirectory();
}
