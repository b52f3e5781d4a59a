import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "#formats/oci/contract.ts";
import type { Lease, Snapshot } from "#images/store/contract.ts";
import { type StepCache, type StepInputs, type StepOutcome, stepKey } from "./cache.ts";
import type { CacheMounts } from "./cache-mounts.ts";
import type { BuildEvent, BuilderPorts } from "./contract.ts";
import { mountRoot, type Normalised, normaliseUpper, unmountRoot } from "./tasks.ts";

/** What all steps of one build share. */
export interface BuildScope {
  readonly id: string;
  readonly ports: BuilderPorts;
  readonly cache: StepCache;
  readonly caches: CacheMounts;
  readonly lease: Lease;
  readonly signal: AbortSignal;
  readonly noCache: boolean;
  readonly keepVolatile: boolean;
  emit(event: BuildEvent): void;
  /** A private folder of this build below the scratch folder. */
  readonly folder: string;
}

/** One step's files while it works. */
export interface StepRoot {
  /** The mounted root file system. */
  readonly path: string;
  /** A folder for what the step needs beside it; gone afterwards. */
  readonly folder: string;
}

export interface LayerStep {
  readonly step: number;
  readonly inputs: StepInputs;
  readonly byRun: boolean;
  /**
   * Looks at the root before it is mounted for good, and makes in `bottom` empty files and folders at the places
   * mounts will take where the image has none: a folder below all layers, so that no layer gets them.
   */
  readonly survey?: (root: string, bottom: string) => void | Promise<void>;
  readonly make: (root: StepRoot) => Promise<void>;
}

/** Where build snapshots' keys begin; what carries one when the engine starts is left over. */
export const snapshotPrefix = "build/";

/** Gives what the step makes: from the cache, or by making it. */
export async function layerStep(scope: BuildScope, step: LayerStep): Promise<StepOutcome> {
  const { cache, ports } = scope;
  const key = stepKey(step.inputs);
  scope.signal.throwIfAborted();
  const known = scope.noCache ? undefined : cache.find(key, ports.clock.now());
  if (known !== undefined && holds(scope, known)) {
    scope.emit({ type: "cached", step: step.step });
    return known;
  }
  const outcome = await makeLayer(scope, step);
  pin(scope, key, outcome);
  ports.faults.at("build.step.remember");
  cache.put(key, outcome, ports.clock.now());
  return outcome;
}

/** Holds first, looks then: between the two nothing can be collected. */
function holds(scope: BuildScope, outcome: StepOutcome): boolean {
  const { layer, chain } = outcome;
  const { store } = scope.ports;
  if (chain !== undefined) scope.lease.add({ chain });
  if (layer !== undefined) scope.lease.add({ blob: layer.descriptor.digest });
  return (
    (chain === undefined || store.layers.get(chain) !== undefined) &&
    (layer === undefined || store.blobs.has(layer.descriptor.digest))
  );
}

/** The owner that keeps a cached step's layer from collection. */
export function cacheOwner(key: Digest): string {
  return `build-cache/${key}`;
}

function pin(scope: BuildScope, key: Digest, { layer, chain }: StepOutcome): void {
  if (layer === undefined || chain === undefined) return;
  scope.ports.store.leases.pin(cacheOwner(key), { chain });
  scope.ports.store.leases.pin(cacheOwner(key), { blob: layer.descriptor.digest });
}

async function makeLayer(scope: BuildScope, step: LayerStep): Promise<StepOutcome> {
  const { store } = scope.ports;
  const parent = step.inputs.parent;
  const snapshot = store.snapshots.prepare(`${snapshotPrefix}${scope.id}/${step.step}`, parent);
  const folder = join(scope.folder, `step-${step.step}`);
  mkdirSync(join(folder, "root"), { recursive: true, mode: 0o700 });
  try {
    await withMountedRoot(scope, step, snapshot, folder);
    return await commitUpper(scope, step, snapshot);
  } finally {
    store.snapshots.remove(snapshot.key);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function withMountedRoot(scope: BuildScope, step: LayerStep, snapshot: Snapshot, folder: string): Promise<void> {
  const { kernel, store } = scope.ports;
  const target = join(folder, "root");
  const bottom = join(folder, "bottom");
  const data = store.snapshots.overlayMountData(snapshot);
  const mounted = async (args: { readonly bottom?: string }, work: () => void | Promise<void>) => {
    await kernel.run(mountRoot, { data, target, ...args });
    try {
      await work();
    } finally {
      await kernel.run(unmountRoot, { target });
    }
  };
  const { survey } = step;
  if (survey !== undefined) {
    mkdirSync(bottom, { mode: 0o755 });
    await mounted({}, () => survey(target, bottom));
  }
  await mounted(survey === undefined ? {} : { bottom }, () => step.make({ path: target, folder }));
}

async function commitUpper(scope: BuildScope, step: LayerStep, snapshot: Snapshot): Promise<StepOutcome> {
  const { bulk, store, faults } = scope.ports;
  const { layerTime, parent } = step.inputs;
  const { signal } = scope;
  const { byRun } = step;
  const args = { upper: snapshot.upper, layerTime, byRun, removeVolatile: byRun && !scope.keepVolatile };
  report(scope, step.step, await bulk.run(normaliseUpper, args, { signal }));
  const written = await store.snapshots.write(snapshot, { layerTime }, { signal });
  if (written.entries === 0) return parent === undefined ? {} : { chain: parent };
  scope.lease.add({ blob: written.digest });
  faults.at("build.step.commit");
  const record = store.snapshots.commit(snapshot, written);
  scope.lease.add({ chain: record.chainId });
  const { mediaType, digest, size } = written;
  return { layer: { descriptor: { mediaType, digest, size }, diffId: written.diffId }, chain: record.chainId };
}

function report(scope: BuildScope, step: number, normalised: Normalised): void {
  for (const change of normalised.changes) scope.emit({ type: "normalised", step, ...change });
  for (const { path, because, next } of normalised.reports) {
    scope.emit({ type: "warning", text: `/${path} ${because}. ${next}` });
  }
}
