import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import type { Clock } from "#base/core/clock.ts";
import { GantryError } from "#base/core/errors.ts";
import { type Faults, noFaults } from "#base/core/faults.ts";
import type { Random } from "#base/core/random.ts";
import type { Database } from "#base/system/database/contract.ts";
import type { CreateVolume, VolumeMounter, VolumeRecord, Volumes } from "./contract.ts";
import { checkOptions, wantedMount } from "./driver-options.ts";
import { VolumeMounts } from "./mounts.ts";
import { checkName, sameOptions, taken } from "./refusals.ts";
import { VolumeTable } from "./table.ts";

export interface VolumesOptions {
  /** <data>/volumes. */
  readonly folder: string;
  readonly database: Database;
  readonly files: VolumeFiles;
  readonly mounter: VolumeMounter;
  readonly clock: Clock;
  readonly random: Random;
  readonly faults?: Faults;
}

/** The narrow port to what walks whole trees, done in Workers. */
export interface VolumeFiles {
  remove(path: string): Promise<void>;
  /** Bytes of all files below. */
  measure(path: string): Promise<number>;
  /** Copies what `target` holds inside `rootfs` into `volume`, its own owner and mode too. Missing is no error. */
  fill(rootfs: string, target: string, volume: string): Promise<void>;
}

export function openVolumes(options: VolumesOptions): Volumes {
  return new LocalVolumes(options);
}

class LocalVolumes implements Volumes {
  readonly #options: VolumesOptions;
  readonly #faults: Faults;
  readonly #table: VolumeTable;
  readonly #mounts: VolumeMounts;
  /** Being written; not yet in the table. */
  readonly #making = new Set<string>();
  /** Folders on their way out; their names are free already. */
  readonly #leaving = new Set<string>();

  constructor(options: VolumesOptions) {
    this.#options = options;
    this.#faults = options.faults ?? noFaults;
    this.#table = new VolumeTable(options.database, options.folder);
    this.#mounts = new VolumeMounts(options.mounter);
    mkdirSync(options.folder, { recursive: true, mode: 0o711 });
  }

  get(name: string): VolumeRecord | undefined {
    return this.#table.get(name);
  }

  require(name: string): VolumeRecord {
    return this.#find(name, "find the volume");
  }

  list(): VolumeRecord[] {
    return this.#table.all();
  }

  create(request: CreateVolume): { readonly record: VolumeRecord; readonly fresh: boolean } {
    const name = this.#checked(request);
    const known = this.get(name);
    if (known !== undefined) {
      sameOptions(known, request.options ?? {});
      return { record: known, fresh: false };
    }
    if (this.#making.has(name)) throw taken(name, "make the volume");
    const folder = this.#makeFolder(name);
    this.#faults.at("volumes.create.name");
    return { record: this.#table.insert(name, folder, request, this.#options.clock.now()), fresh: true };
  }

  async createWith(request: CreateVolume, write: (path: string) => Promise<void>): Promise<VolumeRecord> {
    const name = this.#checked(request);
    if (this.get(name) !== undefined || this.#making.has(name)) throw taken(name, "make the volume");
    this.#making.add(name);
    const folder = this.#makeFolder(name);
    const home = join(this.#options.folder, folder);
    try {
      await write(join(home, "_data"));
      this.#faults.at("volumes.create.name");
      return this.#table.insert(name, folder, request, this.#options.clock.now());
    } catch (error) {
      await this.#options.files.remove(home);
      throw error;
    } finally {
      this.#making.delete(name);
    }
  }

  async remove(name: string, users: readonly string[]): Promise<void> {
    const volume = this.#find(name, "remove the volume");
    if (users.length > 0) {
      throw new GantryError("conflict", {
        doing: "remove the volume",
        on: name,
        because: `volume is in use - [${users.join(", ")}]`,
        next: "Remove these containers first.",
      });
    }
    await this.#drop(volume);
  }

  async removeAnonymous(names: readonly string[]): Promise<void> {
    for (const name of names) {
      const volume = this.get(name);
      if (volume?.anonymous === true) await this.#drop(volume);
    }
  }

  rename(name: string, to: string): VolumeRecord {
    this.#find(name, "rename the volume");
    checkName(to);
    if (this.get(to) !== undefined || this.#making.has(to)) throw taken(to, "rename the volume to");
    this.#table.rename(name, to);
    return this.get(to)!;
  }

  async usage(name: string): Promise<number> {
    const volume = this.get(name);
    if (volume === undefined || wantedMount(volume.options) !== undefined) return 0;
    return this.#options.files.measure(volume.path);
  }

  async fill(name: string, rootfs: string, target: string): Promise<void> {
    const volume = this.get(name);
    if (volume === undefined) return;
    const holder = `fill ${this.#options.random.hex(8)}`;
    await this.hold(name, holder);
    try {
      // A share has content though the volume is fresh.
      if (readdirSync(volume.path).length === 0) await this.#options.files.fill(rootfs, target, volume.path);
    } finally {
      await this.release(name, holder);
    }
  }

  async hold(name: string, holder: string): Promise<void> {
    await this.#mounts.hold(this.#find(name, "use the volume"), holder);
  }

  async release(name: string, holder: string): Promise<void> {
    const volume = this.get(name);
    if (volume !== undefined) await this.#mounts.release(volume, holder);
  }

  steady<T>(name: string, frozen: ReadonlySet<string>, work: (path: string) => Promise<T>): Promise<T> {
    const volume = this.#find(name, "copy the volume");
    return this.#mounts.steady(volume, frozen, () => work(volume.path));
  }

  /** The folder first: a row is never ahead of what it names. A renamed volume may still have the name's folder. */
  #makeFolder(name: string): string {
    const used = this.#table.folders().has(name) || this.#leaving.has(name);
    const folder = used ? `${name}~${this.#options.random.hex(4)}` : name;
    mkdirSync(join(this.#options.folder, folder, "_data"), { recursive: true, mode: 0o755 });
    return folder;
  }

  async #drop(volume: VolumeRecord): Promise<void> {
    await this.#mounts.inTurn(volume.path, () => this.#forget(volume));
  }

  async #forget(volume: VolumeRecord): Promise<void> {
    const home = join(volume.path, "..");
    if (wantedMount(volume.options) !== undefined) await this.#options.mounter.unmount(volume.path);
    this.#faults.at("volumes.remove.forget");
    this.#table.delete(volume.name);
    const folder = basename(home);
    this.#leaving.add(folder);
    try {
      await this.#options.files.remove(home);
    } finally {
      this.#leaving.delete(folder);
    }
  }

  #find(name: string, doing: string): VolumeRecord {
    const volume = this.get(name);
    if (volume !== undefined) return volume;
    throw new GantryError("not-found", { doing, on: name, because: `get ${name}: no such volume` });
  }

  #checked(request: CreateVolume): string {
    const name = request.name ?? this.#options.random.hex(32);
    checkName(name);
    checkOptions(name, request.options ?? {});
    return name;
  }
}

/** Folders without a row: what a crash between the two left. Called once, when the engine starts. */
export function clearUnnamedVolumes(folder: string, volumes: Volumes, entries: readonly string[]): void {
  const known = new Set(volumes.list().map((volume) => volume.path));
  for (const entry of entries)
    if (!known.has(join(folder, entry, "_data"))) rmSync(join(folder, entry), { recursive: true, force: true });
}
