import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { GantryError, isKind } from "#base/core/errors.ts";
import type { NetworkLease } from "#containers/network/contract.ts";
import type { ContainerSpec, MountSpec, NamespaceChoice } from "#containers/runtime/contract.ts";
import { type Conmon, startConmon } from "./conmon.ts";
import type { Context, Entry } from "./context.ts";
import type { ContainerRecord } from "./contract.ts";
import { afterEnd, exited, tearDown } from "./ending.ts";
import { freshHealth } from "./health.ts";
import { exitsFolder } from "./layout.ts";
import { logNaming } from "./log-naming.ts";
import { writeSandboxFiles } from "./name-files.ts";
import { endpointsOf, namesOf } from "./networking.ts";
import { probe } from "./probing.ts";
import { readyMounts } from "./ready-mounts.ts";
import { namespacesOf } from "./sharing.ts";
import { mountRoot } from "./tasks.ts";

/** Starts a container that does not run; call it inside `entry.serial`. On failure everything is taken back. */
export async function begin(context: Context, entry: Entry): Promise<void> {
  const { paths, record } = entry;
  const byPolicy = record.state.status === "restarting";
  entry.clean = false;
  context.runtime.expectStart();
  try {
    mkdirSync(paths.run, { recursive: true, mode: 0o700 });
    mkdirSync(paths.data, { recursive: true, mode: 0o700 });
    // What a killed engine left of an earlier try.
    rmSync(paths.exitFile, { force: true });
    const [mounts, lease] = await together(mountAll(context, entry), takeNetwork(context, record));
    const spec = containerSpec(context, entry, lease, mounts);
    context.runtime.writeBundle(paths.run, spec);
    entry.log.rotation?.prepare(entry.log.sizeMax);
    watchLog(context, entry);
    context.faults.at("containers.start.conmon");
    const conmon = await startConmon(context.conmon, context.runtime, {
      id: record.id,
      folder: paths.run,
      pidFile: paths.pidFile,
      conmonPidFile: paths.conmonPidFile,
      terminal: record.config.process.terminal ?? false,
      openStdin: record.config.openStdin ?? false,
      keepStdin: (record.config.openStdin ?? false) && !(record.config.stdinOnce ?? false),
      ...(record.config.withoutLog === true ? {} : { log: { path: paths.log, sizeMax: entry.log.sizeMax } }),
      exitFolder: exitsFolder(context.layout),
    });
    await Promise.all([...entry.pending].map((client) => client.connect(context.packets, paths.attach)));
    entry.pending.clear();
    entry.set({
      state: { status: "running", pid: conmon.pid, startedAt: context.clock.now() },
      stoppedByUser: false,
      ...(record.config.health === undefined ? {} : { health: freshHealth }),
      ...(lease.lease === undefined ? {} : { network: lease.lease }),
    });
    // The commit's disk time hides behind the runtime's; a crash between the two is found by `adopt`.
    const started = context.runtime.start(record.id);
    context.table.update("start", entry.record);
    await started;
    context.emit("start", entry.record);
    watchOver(context, entry, conmon);
  } catch (error) {
    await failed(context, entry, error, byPolicy);
    throw error;
  }
}

/** Follows a running container to its end, probing its health; also for one that an earlier engine started. */
export function watchOver(context: Context, entry: Entry, conmon?: Conmon): void {
  const { id } = entry.record;
  probe(context, entry);
  context.exits.expect(id, (code) => void entry.serial.run(() => exited(context, entry, { code })));
  void conmon?.ended.then(() => {
    if (context.exits.look(id) || !entry.running) return;
    // conmon was killed: nobody can tell the exit code any more, and nobody reads the output.
    const error = "conmon ended before the container; its exit code is not known";
    void entry.serial.run(() => (entry.running ? exited(context, entry, { code: 137, error }) : Promise.resolve()));
  });
}

/** Keeps the log's files while it runs; also for a container that an earlier engine started. */
export function watchLog(context: Context, entry: Entry): void {
  const { rotation } = entry.log;
  if (rotation === undefined) return;
  entry.logWatch = context.packets.watchArrivals(entry.paths.data, () => rotation.turned(), logNaming.name);
}

async function mountAll(context: Context, entry: Entry): Promise<MountSpec[]> {
  const { id, image, platform } = entry.record;
  const { cwd, options } = await context.rootfs.prepare(id, image, platform);
  await context.kernel.run(mountRoot, { cwd, options, target: entry.paths.rootfs });
  return readyMounts(context, entry);
}

interface Taken {
  readonly choice: NamespaceChoice;
  readonly lease?: NetworkLease;
  /** Whose name files to share. */
  readonly host?: Entry;
}

async function takeNetwork(context: Context, record: ContainerRecord): Promise<Taken> {
  const { id, sandbox } = record;
  const mode = sandbox.network;
  if (mode.kind === "host") return { choice: { kind: "host" } };
  if (mode.kind === "container") {
    const other = context.find(mode.id);
    const { state } = other.record;
    if (state.status !== "running") {
      throw new GantryError("conflict", {
        doing: "join the network of the container",
        on: other.record.name,
        because: "it is not running",
        next: "Start it first.",
      });
    }
    return { choice: { kind: "path", path: `/proc/${state.pid}/ns/net` }, host: other };
  }
  if (context.networks === undefined) return { choice: { kind: "new" } };
  const lease = await context.networks.lease(id, {
    endpoints: endpointsOf(sandbox),
    ports: sandbox.ports ?? [],
    names: namesOf(record),
    dns: sandbox.dns ?? [],
    egress: sandbox.egress,
  });
  return { choice: { kind: "path", path: lease.namespace }, lease };
}

/** Both, and if one fails the other has ended too before the error goes on. */
async function together<A, B>(mounted: Promise<A>, taken: Promise<B>): Promise<[A, B]> {
  const [first, second] = await Promise.allSettled([mounted, taken]);
  if (first.status === "rejected") throw first.reason;
  if (second.status === "rejected") throw second.reason;
  return [first.value, second.value];
}

function containerSpec(context: Context, entry: Entry, taken: Taken, mounts: readonly MountSpec[]): ContainerSpec {
  const { record, paths } = entry;
  const { sandbox, config } = record;
  const {
    openStdin: _o,
    stdinOnce: _s,
    stopSignal: _g,
    stopTimeout: _t,
    autoRemove: _r,
    logSizeMax: _l,
    restart: _p,
    health: _h,
    logFiles: _f,
    withoutLog: _w,
    ...rest
  } = config;
  const hostname = sandbox.hostname ?? record.id.slice(0, 12);
  const names = writeNameFiles(entry, taken, hostname);
  const asked = new Set(mounts.map((mount) => mount.target));
  return {
    ...rest,
    rootfs: paths.rootfs,
    hostname,
    ...(sandbox.domainname === undefined ? {} : { domainname: sandbox.domainname }),
    mounts: [...names.filter((mount) => !asked.has(mount.target)), ...mounts],
    namespaces: namespacesOf(context, record, taken.choice),
    cgroup: `${sandbox.cgroupParent ?? "/gantry"}/${record.id}`,
  };
}

function writeNameFiles({ paths, record }: Entry, taken: Taken, hostname: string): MountSpec[] {
  const files = taken.host?.paths ?? paths;
  if (taken.host === undefined) writeSandboxFiles(paths, record, taken.lease);
  writeFileSync(paths.hostname, `${hostname}\n`, { mode: 0o644 });
  return [
    { type: "bind", source: files.resolvConf, target: "/etc/resolv.conf" },
    { type: "bind", source: paths.hostname, target: "/etc/hostname" },
    { type: "bind", source: files.hosts, target: "/etc/hosts" },
  ];
}

async function failed(context: Context, entry: Entry, error: unknown, byPolicy: boolean): Promise<void> {
  for (const client of entry.pending) client.abandon();
  entry.pending.clear();
  await tearDown(context, entry);
  const code = isKind(error) ? error.parts.details?.exitCode : undefined;
  const now = context.clock.now();
  const exit = {
    exitCode: typeof code === "number" ? code : 128,
    startedAt: now,
    finishedAt: now,
    oomKilled: false,
    error: error instanceof Error ? error.message : String(error),
    neverRan: true as const,
  };
  // Started by hand it fails to the user; started by its policy it is one more end.
  const after = byPolicy ? afterEnd(context, entry, exit) : ({ status: "exited", ...exit } as const);
  entry.set({ state: after });
  context.table.update("start-failed", entry.record);
  if (after.status !== "restarting") entry.tellStopped(exit);
  context.runAgain(entry);
}
