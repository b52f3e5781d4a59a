import { type Clock, systemClock } from "#base/core/clock.ts";
import { GantryError } from "#base/core/errors.ts";
import { type Faults, noFaults } from "#base/core/faults.ts";
import { type Random, systemRandom } from "#base/core/random.ts";
import type { Database } from "#base/system/database/contract.ts";
import type { WorkerPool } from "#base/system/pool/contract.ts";
import { installedProgram } from "#base/system/process/installed.ts";
import type { PacketConnector } from "#base/system/sockets/contract.ts";
import type { EndpointRequest, Networks, PortMapping, PublishedPort } from "#containers/network/contract.ts";
import type { Runtime, TerminalSize } from "#containers/runtime/contract.ts";
import { needsCgroup } from "#containers/runtime/without-cgroups.ts";
import { adoptAll } from "./adoption.ts";
import { LiveAttachment } from "./attachment.ts";
import { begin } from "./beginning.ts";
import { type Context, Entry, waitResult } from "./context.ts";
import type {
  AdoptReport,
  Attachment,
  AttachOptions,
  Change,
  ContainerRecord,
  Containers,
  ContainerUpdate,
  CreateRequest,
  Execs,
  LifecycleEvent,
  LogLine,
  LogOptions,
  MountChange,
  RootFilesystem,
  Secret,
  Stats,
  TopResult,
  VolumePort,
  WaitCondition,
  WaitResult,
} from "./contract.ts";
import { finishRemoval, lastExit } from "./ending.ts";
import { ExecTable } from "./execs.ts";
import { ExitWatcher } from "./exits.ts";
import { containerPaths, exitsFolder, type Layout } from "./layout.ts";
import { addMount, removeMount } from "./live-mounts.ts";
import { clearLog } from "./log-clearing.ts";
import { readLog } from "./logs.ts";
import { checkedName, madeUpName } from "./names.ts";
import { connectNetwork, disconnectNetwork, namesOf, publishPort, unpublishPort } from "./networking.ts";
import { openRootOf } from "./open-root.ts";
import { Registry } from "./registry.ts";
import { cancelRestart, scheduleRestart } from "./restarting.ts";
import { giveSecrets } from "./secrets.ts";
import { signalName } from "./signals.ts";
import { rule } from "./states.ts";
import { readStats } from "./stats.ts";
import {
  endForGood,
  endsIt,
  freeze,
  resizeTerminal,
  type StopOptions,
  sendSignal,
  stopContainer,
  thaw,
} from "./stopping.ts";
import { ContainerTable } from "./table.ts";
import { listChanges } from "./tasks.ts";
import { readTop } from "./top.ts";
import { updateContainer } from "./updating.ts";

export interface ContainersOptions {
  readonly layout: Layout;
  /** With the tables of `containerSchema` in it. */
  readonly database: Database;
  readonly runtime: Runtime;
  readonly rootfs: RootFilesystem;
  /** Without it "none" is a fresh namespace with nothing up, and there is no bridge. */
  readonly networks?: Networks;
  readonly volumes?: VolumePort;
  readonly kernel: WorkerPool;
  readonly packets: PacketConnector;
  /** Path of conmon; default: the installed one. */
  readonly conmon?: string;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly faults?: Faults;
}

export function openContainers(options: ContainersOptions): Containers {
  return new ContainerSet(options);
}

class ContainerSet implements Containers {
  readonly execs: Execs;
  readonly #context: Context;
  readonly #entries = new Registry();
  readonly #listeners = new Set<(event: LifecycleEvent) => void>();

  constructor(options: ContainersOptions) {
    const table = new ContainerTable(options.database);
    const clock = options.clock ?? systemClock;
    this.#context = {
      layout: options.layout,
      table,
      exits: new ExitWatcher(exitsFolder(options.layout)),
      runtime: options.runtime,
      conmon: options.conmon ?? installedProgram("conmon", "keep containers"),
      rootfs: options.rootfs,
      networks: options.networks,
      volumes: options.volumes,
      kernel: options.kernel,
      packets: options.packets,
      clock,
      random: options.random ?? systemRandom,
      faults: options.faults ?? noFaults,
      emit: (action, { id, name, image, eventAttributes }, attributes = {}) => {
        const all = { ...eventAttributes, ...attributes };
        for (const tell of this.#listeners) tell({ action, id, name, image, at: clock.now(), attributes: all });
      },
      find: (id) => this.#entries.find(id),
      forget: (entry) => this.#entries.delete(entry.record.id),
      runAgain: (entry) => scheduleRestart(this.#context, entry),
    };
    this.execs = new ExecTable(this.#context);
    for (const record of table.all()) {
      this.#entries.add(new Entry(record, containerPaths(options.layout, record.id)));
    }
  }

  adopt(): Promise<AdoptReport> {
    return adoptAll(this.#context, this.#entries.all());
  }

  async create(request: CreateRequest): Promise<ContainerRecord> {
    const { random, clock, layout, table } = this.#context;
    const taken = (name: string) => this.#entries.named(name) !== undefined;
    const name = request.name === undefined ? madeUpName(random, taken) : checkedName(request.name);
    const owner = this.#entries.named(name);
    if (owner !== undefined) {
      throw new GantryError("conflict", {
        doing: "name the container",
        on: name,
        because: `the container ${owner.record.id.slice(0, 12)} has that name`,
        next: "Remove or rename that one, or choose another name.",
      });
    }
    const id = random.hex(32);
    const { sandbox, config, image, platform } = request;
    this.#context.runtime.checkLimits(config.resources ?? {});
    const record: ContainerRecord = {
      id,
      name,
      created: clock.now(),
      image,
      ...(platform === undefined ? {} : { platform }),
      sandbox,
      config,
      request: request.request ?? null,
      state: { status: "created" },
      volumes: request.volumes ?? [],
      ...(request.eventAttributes === undefined ? {} : { eventAttributes: request.eventAttributes }),
    };
    const entry = new Entry(record, containerPaths(layout, id));
    // Most who create start at once.
    this.#context.runtime.expectStart();
    // In the table of names before any await: two creates of one name cannot both pass.
    this.#entries.add(entry);
    try {
      await this.#context.rootfs.prepare(id, image, platform);
      table.insert(record);
    } catch (error) {
      this.#entries.delete(id);
      await this.#context.rootfs.remove(id);
      throw error;
    }
    this.#context.emit("create", record);
    return record;
  }

  async start(id: string): Promise<boolean> {
    const entry = this.#entries.find(id);
    return entry.serial.run(async () => {
      if (!rule(entry.record, "start")) return false;
      entry.set({ restarts: 0 });
      entry.lastDelay = undefined;
      try {
        await begin(this.#context, entry);
      } catch (error) {
        const exit = lastExit(entry.record);
        if (entry.record.config.autoRemove) await this.#removeNow(entry, true);
        if (exit !== undefined) entry.tellExit(exit);
        throw error;
      }
      return true;
    });
  }

  get(id: string): ContainerRecord {
    return this.#entries.find(id).record;
  }

  list(): readonly ContainerRecord[] {
    return this.#entries.all().map((entry) => entry.record);
  }

  async wait(id: string, condition: WaitCondition = "not-running", signal?: AbortSignal): Promise<WaitResult> {
    const entry = this.#entries.find(id);
    const rests = !entry.running && entry.record.state.status !== "restarting";
    if (condition === "not-running" && rests) return waitResult(lastExit(entry.record));
    const ended: Promise<WaitResult> =
      condition === "removed"
        ? entry.removed()
        : (condition === "next-exit" ? entry.nextExit() : entry.stopped()).then(waitResult);
    if (signal === undefined) return ended;
    const stopped = Promise.withResolvers<never>();
    const onAbort = () =>
      stopped.reject(
        new GantryError("cancelled", { doing: "wait for the container", on: id, because: "the caller left" }),
      );
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([ended, stopped.promise]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  async stop(id: string, options: StopOptions = {}): Promise<boolean> {
    const entry = this.#entries.find(id);
    if (!rule(entry.record, "stop")) return false;
    await endForGood(this.#context, entry, () => stopContainer(this.#context, entry, options));
    this.#context.emit("stop", entry.record);
    return true;
  }

  async restart(id: string, options: StopOptions = {}): Promise<void> {
    const entry = this.#entries.find(id);
    await this.stop(entry.record.id, options);
    await this.start(entry.record.id);
    this.#context.emit("restart", entry.record);
  }

  async kill(id: string, signal = "SIGKILL"): Promise<void> {
    const entry = this.#entries.find(id);
    const name = signalName(signal);
    rule(entry.record, "kill");
    const send = () => sendSignal(this.#context, entry, name);
    if (endsIt(entry.record, name)) await endForGood(this.#context, entry, send);
    else await send();
    this.#context.emit("kill", entry.record, { signal: name });
  }

  async pause(id: string): Promise<void> {
    const entry = this.#entries.find(id);
    return entry.serial.run(async () => {
      if (rule(entry.record, "pause")) await freeze(this.#context, entry);
    });
  }

  async unpause(id: string): Promise<void> {
    const entry = this.#entries.find(id);
    return entry.serial.run(async () => {
      if (rule(entry.record, "unpause")) await thaw(this.#context, entry);
    });
  }

  async rename(id: string, name: string): Promise<void> {
    const entry = this.#entries.find(id);
    rule(entry.record, "rename");
    const wanted = checkedName(name);
    const owner = this.#entries.named(wanted);
    if (owner !== undefined) {
      throw new GantryError(owner === entry ? "invalid" : "conflict", {
        doing: "rename the container to",
        on: wanted,
        because: `the container ${owner.record.id.slice(0, 12)} has that name`,
      });
    }
    const oldName = entry.record.name;
    entry.set({ name: wanted });
    this.#context.networks?.rename(entry.record.id, namesOf(entry.record));
    this.#context.table.update("rename", entry.record);
    this.#context.emit("rename", entry.record, { oldName: `/${oldName}` });
  }

  async remove(id: string, options: { readonly force?: boolean; readonly volumes?: boolean } = {}): Promise<void> {
    const entry = this.#entries.find(id);
    if (options.force) cancelRestart(this.#context, entry);
    if (options.force && entry.running) {
      entry.set({ stoppedByUser: true });
      const ended = entry.nextExit();
      await this.#context.runtime.kill(entry.record.id, "SIGKILL", true);
      if (entry.record.state.status === "paused") await thaw(this.#context, entry);
      if (entry.running) await ended;
    }
    await entry.serial.run(async () => {
      if (!this.#entries.has(entry.record.id)) return;
      rule(entry.record, "remove");
      await this.#removeNow(entry, options.volumes ?? false);
    });
  }

  async resize(id: string, size: TerminalSize): Promise<void> {
    const entry = this.#entries.find(id);
    rule(entry.record, "resize");
    resizeTerminal(entry.paths.control, size);
    this.#context.emit("resize", entry.record, { height: String(size.rows), width: String(size.columns) });
  }

  async update(id: string, change: ContainerUpdate): Promise<void> {
    const entry = this.#entries.find(id);
    return entry.serial.run(() => updateContainer(this.#context, entry, change));
  }

  async mount(id: string, change: MountChange): Promise<void> {
    const entry = this.#entries.find(id);
    return entry.serial.run(() => addMount(this.#context, entry, change));
  }

  async unmount(id: string, target: string, request: unknown): Promise<void> {
    const entry = this.#entries.find(id);
    return entry.serial.run(() => removeMount(this.#context, entry, target, request));
  }

  async giveSecrets(id: string, secrets: readonly Secret[]): Promise<void> {
    const entry = this.#entries.find(id);
    return entry.serial.run(() => giveSecrets(this.#context, entry, secrets));
  }

  async connect(id: string, request: EndpointRequest): Promise<void> {
    const entry = this.#entries.find(id);
    return entry.serial.run(() => connectNetwork(this.#context, entry, request));
  }

  async disconnect(id: string, network: string): Promise<void> {
    const entry = this.#entries.find(id);
    return entry.serial.run(() => disconnectNetwork(this.#context, entry, network));
  }

  async publish(id: string, port: PortMapping): Promise<PublishedPort | undefined> {
    const entry = this.#entries.find(id);
    return entry.serial.run(() => publishPort(this.#context, entry, port));
  }

  async unpublish(id: string, port: PortMapping): Promise<void> {
    const entry = this.#entries.find(id);
    return entry.serial.run(() => unpublishPort(this.#context, entry, port));
  }

  async attach(id: string, options: AttachOptions): Promise<Attachment> {
    const entry = this.#entries.find(id);
    rule(entry.record, "attach");
    const client = new LiveAttachment(options);
    if (entry.running) {
      await client.connect(this.#context.packets, entry.paths.attach);
    } else {
      entry.pending.add(client);
      client.onEnd(() => entry.pending.delete(client));
    }
    this.#context.emit("attach", entry.record);
    return client;
  }

  logs(id: string, options: LogOptions = {}): AsyncIterable<readonly LogLine[]> {
    const entry = this.#entries.find(id);
    rule(entry.record, "logs");
    if (entry.record.config.withoutLog === true) {
      throw new GantryError("unsupported", {
        doing: "read the logs of",
        on: entry.record.name,
        because: "configured logging driver does not support reading",
        next: "Make it with another log driver, or attach to it.",
      });
    }
    return readLog(entry.log, options);
  }

  async clearLogs(id: string): Promise<void> {
    const entry = this.#entries.find(id);
    rule(entry.record, "logs");
    await clearLog(this.#context, entry);
  }

  async stats(id: string): Promise<Stats> {
    const { record } = this.#entries.find(id);
    rule(record, "stats");
    if (!this.#context.runtime.cgroups) throw needsCgroup("measure what is used by", record.name);
    return readStats(record, this.#context.clock.now());
  }

  async top(id: string, words = ""): Promise<TopResult> {
    const { record } = this.#entries.find(id);
    rule(record, "top");
    return readTop(record, words);
  }

  async changes(id: string): Promise<readonly Change[]> {
    const { record } = this.#entries.find(id);
    const { cwd, options, upper } = await this.#context.rootfs.prepare(record.id, record.image, record.platform);
    const lowers = /(?:^|,)lowerdir=([^,]*)/.exec(options)?.[1]?.split(":") ?? [];
    return this.#context.kernel.run(listChanges, { upper, lowers: lowers.map((lower) => `${cwd}/${lower}`) });
  }

  async openRoot(id: string, options: { readonly mounts?: boolean } = {}) {
    const entry = this.#entries.find(id);
    return openRootOf(this.#context, entry, options.mounts ?? false);
  }

  renameVolume(name: string, to: string, amend: (request: unknown) => unknown): () => void {
    const users = this.#entries.all().filter(({ record }) => record.volumes.some((use) => use.name === name));
    const changes = users.map((entry) => {
      const volumes = entry.record.volumes.map((use) => (use.name === name ? { name: to, anonymous: false } : use));
      const change = { volumes, request: amend(entry.record.request) };
      this.#context.table.update("rename-volume", { ...entry.record, ...change });
      return () => entry.set(change);
    });
    return () => {
      for (const apply of changes) apply();
    };
  }

  onEvent(listener: (event: LifecycleEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#context.exits[Symbol.dispose]();
    for (const entry of this.#entries.all()) {
      entry.restart?.abort();
      entry.probing?.abort();
    }
    // Whatever a container is in the middle of is finished; none is stopped.
    await Promise.all(this.#entries.all().map((entry) => entry.serial.run(() => Promise.resolve())));
    this.#listeners.clear();
  }

  async #removeNow(entry: Entry, volumes: boolean): Promise<void> {
    const last = lastExit(entry.record);
    entry.set({ state: { status: "removing", ...(last === undefined ? {} : { last }) } });
    this.#context.table.update("removing", entry.record);
    await finishRemoval(this.#context, entry, volumes);
  }
}
