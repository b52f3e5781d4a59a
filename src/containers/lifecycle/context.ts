import type { Clock } from "#base/core/clock.ts";
import type { Faults } from "#base/core/faults.ts";
import type { Random } from "#base/core/random.ts";
import type { WorkerPool } from "#base/system/pool/contract.ts";
import type { PacketConnector } from "#base/system/sockets/contract.ts";
import type { Networks } from "#containers/network/contract.ts";
import type { Runtime } from "#containers/runtime/contract.ts";
import type { LiveAttachment } from "./attachment.ts";
import type {
  ContainerRecord,
  ExitRecord,
  LifecycleEvent,
  RootFilesystem,
  VolumePort,
  WaitResult,
} from "./contract.ts";
import type { ExitWatcher } from "./exits.ts";
import type { ContainerPaths, Layout } from "./layout.ts";
import { LogRotation, logBounds } from "./log-rotation.ts";
import type { LogSource } from "./logs.ts";
import { Serial } from "./serial.ts";
import type { ContainerTable } from "./table.ts";

/** What every part of this room works with. */
export interface Context {
  readonly layout: Layout;
  readonly table: ContainerTable;
  readonly exits: ExitWatcher;
  readonly runtime: Runtime;
  readonly conmon: string;
  readonly rootfs: RootFilesystem;
  readonly networks: Networks | undefined;
  readonly volumes: VolumePort | undefined;
  readonly kernel: WorkerPool;
  readonly packets: PacketConnector;
  readonly clock: Clock;
  readonly random: Random;
  readonly faults: Faults;
  readonly emit: (
    action: LifecycleEvent["action"],
    record: ContainerRecord,
    attributes?: Record<string, string>,
  ) => void;
  readonly find: (id: string) => Entry;
  readonly forget: (entry: Entry) => void;
  /** Starts a restarting container when its time has come; nothing for any other. */
  readonly runAgain: (entry: Entry) => void;
}

/** One container in memory: its record, who waits for it, and the one lock its verbs share. */
export class Entry {
  record: ContainerRecord;
  readonly paths: ContainerPaths;
  readonly serial = new Serial();
  readonly pending = new Set<LiveAttachment>();
  readonly log: LogSource;
  /** While it runs and its log is kept in several files. */
  logWatch: AsyncDisposable | undefined;
  /** Cleared folders, mounts and leases of the last run are gone. */
  clean = true;
  /** Aborts the wait for the next run. */
  restart: AbortController | undefined;
  /** The wait before the run that is going on, milliseconds. */
  lastDelay: number | undefined;
  /** Aborts the health probes of the run that is going on. */
  probing: AbortController | undefined;
  /** This run is being ended to begin anew at once (an unhealthy one with that wish). */
  againAfterEnd = false;
  readonly #exits = new Set<(exit: ExitRecord) => void>();
  readonly #stops = new Set<(exit: ExitRecord) => void>();
  readonly #removals = new Set<(last: WaitResult) => void>();

  constructor(record: ContainerRecord, paths: ContainerPaths) {
    this.record = record;
    this.paths = paths;
    const { sizeMax, keep } = logBounds(record.config);
    this.log = {
      place: paths,
      // Without a word about it conmon's own beginning anew is enough.
      rotation: keep === 1 && record.config.logSizeMax === undefined ? undefined : new LogRotation(paths, keep),
      sizeMax,
      untilEnd: () => (this.running ? this.nextExit().then(() => undefined) : undefined),
    };
  }

  get running(): boolean {
    return this.record.state.status === "running" || this.record.state.status === "paused";
  }

  /** The next exit from now on. */
  nextExit(): Promise<ExitRecord> {
    return new Promise((resolve) => this.#exits.add(resolve));
  }

  /** The next end after which it does not run again by itself. */
  stopped(): Promise<ExitRecord> {
    return new Promise((resolve) => this.#stops.add(resolve));
  }

  removed(): Promise<WaitResult> {
    return new Promise((resolve) => this.#removals.add(resolve));
  }

  tellExit(exit: ExitRecord): void {
    for (const tell of this.#exits) tell(exit);
    this.#exits.clear();
  }

  tellStopped(exit: ExitRecord): void {
    for (const tell of this.#stops) tell(exit);
    this.#stops.clear();
  }

  tellRemoved(last: WaitResult): void {
    for (const tell of this.#removals) tell(last);
    this.#removals.clear();
  }

  set(change: Partial<ContainerRecord>): void {
    this.record = { ...this.record, ...change };
  }
}

export function waitResult(exit: ExitRecord | undefined): WaitResult {
  const told = exit?.neverRan === true || exit?.error === undefined;
  return { exitCode: exit?.exitCode ?? 0, ...(told ? {} : { error: exit.error }) };
}
