import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Clock, systemClock } from "#base/core/clock.ts";
import { GantryError, isKind } from "#base/core/errors.ts";
import { type Faults, noFaults } from "#base/core/faults.ts";
import type { Places } from "#base/core/places.ts";
import { type Random, systemRandom } from "#base/core/random.ts";
import { commit, version } from "#base/core/version.ts";
import { mayMakeCgroups } from "#base/system/cgroup/writable.ts";
import { openDatabase } from "#base/system/database/database.ts";
import { migrate } from "#base/system/database/migrate.ts";
import type { FileLock } from "#base/system/files/contract.ts";
import { lockFile } from "#base/system/files/lock.ts";
import { inUserNamespace } from "#base/system/namespaces/user.ts";
import { openWorkerPool } from "#base/system/pool/worker-pool.ts";
import { openPacketConnector } from "#base/system/sockets/packet-connector.ts";
import { openBuilder } from "#build/builder.ts";
import { openContainers } from "#containers/lifecycle/containers.ts";
import type { Containers } from "#containers/lifecycle/contract.ts";
import { containerSchema } from "#containers/lifecycle/table.ts";
import { findForeignDrops } from "#containers/network/foreign-drop.ts";
import { openNetworks } from "#containers/network/networks.ts";
import { openCrun } from "#containers/runtime/crun.ts";
import { openArchive } from "#images/archive/open-archive.ts";
import { openStore } from "#images/store/open-store.ts";
import { createTransfer } from "#images/transfer/transfer.ts";
import { receiveContext } from "./build-context.ts";
import type { Engine } from "./contract.ts";
import { downloads } from "./downloads.ts";
import { openEventLog } from "./events.ts";
import { createImageWork, engineId, findBase } from "./image-work.ts";
import { measureLoopLag } from "./loop-lag.ts";
import { requireSpace } from "./low-space.ts";
import { networkNames } from "./network-names.ts";
import { optional, outsideOf } from "./outside.ts";
import { openRegistries } from "./registries.ts";
import { openReserve } from "./reserve.ts";
import { rootFilesystem } from "./root-filesystem.ts";
import { savedAddresses } from "./saved-addresses.ts";
import { openSettings } from "./settings.ts";
import { measuredSizes } from "./sizes.ts";
import { createVolumeWork } from "./volume-work.ts";
import { engineVolumes } from "./volumes.ts";

/** Files of the Workers; the composition root knows where they are. */
export interface WorkerEntries {
  readonly kernel: URL;
  readonly bulk: URL;
  readonly attach: URL;
  readonly registry: URL;
}

export interface EngineOptions {
  readonly places: Places;
  readonly workers: WorkerEntries;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly faults?: Faults;
  readonly onError: (error: unknown, what: string) => void;
}

/**
 * Puts the rooms together on one data root, which it locks, and recovers what the last engine left. Errors:
 * "conflict" when another engine has the data root.
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { places, workers, clock = systemClock, random = systemRandom, faults = noFaults, onError } = options;
  const { dataRoot, runRoot } = places;
  const outside = outsideOf(runRoot);
  mkdirSync(dataRoot, { recursive: true, mode: 0o700 });
  mkdirSync(runRoot, { recursive: true, mode: 0o711 });
  await using opened = new AsyncDisposableStack();
  opened.use(lockRoot(dataRoot));

  const reserve = openReserve(dataRoot);
  const makeRoom = () => reserve.giveAway();
  const database = opened.use(openDatabase(join(dataRoot, "gantry.db"), { faults, makeRoom, logAhead: true }));
  const buildDatabase = opened.use(openDatabase(join(dataRoot, "build.db"), { faults, makeRoom, durable: false }));
  const eventDatabase = opened.use(openDatabase(join(dataRoot, "events.db"), { makeRoom, durable: false }));
  reserve.keep();
  migrate(database, "containers", containerSchema);

  const kernel = opened.use(openWorkerPool({ name: "kernel", entry: workers.kernel, size: 2, keep: 1 }));
  const bulk = opened.use(openWorkerPool({ name: "bulk", entry: workers.bulk, size: 2, keep: 0 }));
  const packets = opened.use(openPacketConnector({ entry: workers.attach }));
  kernel.warm();

  const events = opened.use(openEventLog(eventDatabase, clock));
  const store = opened.use(await openStore({ root: dataRoot, database, bulk, clock, random, faults }));
  const archive = openArchive({ store, bulk, clock });
  const transfer = createTransfer(store, clock, outside?.loopback);
  const networks = opened.use(
    openNetworks({
      run: runRoot,
      database,
      kernel,
      clock,
      random,
      watchTables: (onDeleted) => packets.watchTables(onDeleted),
      onError,
      ...networkNames(runRoot),
      ...optional("outside", outside?.ports),
    }),
  );
  const runtime = openCrun({ state: join(runRoot, "crun"), cgroups: mayMakeCgroups(), faults });

  const volumes = engineVolumes({ dataRoot, database, bulk, clock, random, faults });
  const containers: Containers = opened.use(
    openContainers({
      layout: { data: dataRoot, run: runRoot },
      database,
      runtime,
      rootfs: rootFilesystem(store),
      networks,
      volumes: {
        hold: (name, holder) => volumes.hold(name, holder),
        release: (name, holder) => volumes.release(name, holder),
        removeAnonymous: (names) => volumes.removeAnonymous(names.filter((name) => !isUsed(containers, name))),
      },
      kernel,
      packets,
      clock,
      random,
      faults,
    }),
  );
  containers.onEvent(({ action, id, name, image, attributes }) =>
    events.publish({ type: "container", action, id, attributes: { image, name, ...attributes } }),
  );
  await containers.adopt();
  networks.warm();
  // Snapshots of containers that were never named, or whose removal was cut short.
  const known = new Set(containers.list().map((record) => record.id));
  for (const { key } of store.snapshots.list())
    if (/^[0-9a-f]{64}$/.test(key) && !known.has(key)) store.snapshots.remove(key);

  const builder = opened.use(
    await openBuilder({
      store,
      runtime,
      networks,
      kernel,
      bulk,
      bases: { find: (reference, wanted) => findBase(store, transfer, reference, wanted) },
      downloads: downloads(outside?.loopback),
      database: buildDatabase,
      scratch: join(runRoot, "build"),
      cacheMounts: join(dataRoot, "build-caches"),
      machineRoot: "/",
      cgroupParent: "/gantry/build",
      clock,
      random,
      faults,
    }),
  );
  const receptionFolder = join(dataRoot, "contexts");
  rmSync(receptionFolder, { recursive: true, force: true });
  mkdirSync(receptionFolder, { recursive: true, mode: 0o700 });
  const reception = { folder: receptionFolder, bulk, clock, random };
  const saved = savedAddresses(database);
  const registries = opened.use(
    openRegistries({
      store,
      database,
      worker: workers.registry,
      saved,
      clock,
      random,
      onError,
      ...optional("outside", outside?.ports),
    }),
  );
  await registries.resume();

  const held = opened.move();
  return {
    facts: {
      version,
      commit,
      id: engineId(dataRoot),
      pid: process.pid,
      dataRoot,
      runRoot,
      socket: places.socket,
      rootless: inUserNamespace(),
      cgroups: runtime.cgroups,
      startedAt: clock.now(),
    },
    store,
    archive,
    containers,
    volumes,
    volumeWork: createVolumeWork({ volumes, containers, database, bulk, events, clock }),
    networks,
    builder,
    events,
    settings: openSettings(database),
    bulk,
    registries,
    sizes: measuredSizes(store, volumes, clock),
    images: createImageWork({
      store,
      transfer,
      builder,
      containers,
      events,
      clock,
      ...optional("machineLoopback", outside?.loopback),
      receive: (body, dockerfile, signal) => receiveContext(reception, body, dockerfile, signal),
    }),
    requireSpace: (doing) => {
      requireSpace(dataRoot, doing);
      reserve.keep();
    },
    foreignDrops: () => findForeignDrops(networkNames(runRoot).bridge, networkNames(runRoot).table),
    loopLag: (seconds, signal) => measureLoopLag(clock, seconds, signal),
    dismantle: () => networks.dismantle(),
    scratch: receptionFolder,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** By a container that stays: one made with --volumes-from may outlive the one that an anonymous volume was made for. */
function isUsed(containers: Containers, name: string): boolean {
  return containers
    .list()
    .some(({ state, volumes }) => state.status !== "removing" && volumes.some((use) => use.name === name));
}

function lockRoot(dataRoot: string): FileLock {
  try {
    return lockFile(join(dataRoot, "lock"));
  } catch (cause) {
    if (!isKind(cause, "conflict")) throw cause;
    throw new GantryError("conflict", {
      doing: "use the data root",
      on: dataRoot,
      because: "another engine has it",
      next: "Stop that one, or give this one another with GANTRY_DATA_ROOT.",
      cause,
    });
  }
}
