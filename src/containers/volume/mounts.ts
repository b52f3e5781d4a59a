import { GantryError } from "#base/core/errors.ts";
import type { VolumeMounter, VolumeRecord } from "./contract.ts";
import { hostNameIn, wantedMount, withAddress } from "./driver-options.ts";

/** Who uses which volume. The kernel's mount table is what outlives an engine; holders come back by `hold`. */
export class VolumeMounts {
  readonly #mounter: VolumeMounter;
  readonly #holders = new Map<string, Set<string>>();
  /** By path: a mount, an unmount and a copy of one volume never overlap. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(mounter: VolumeMounter) {
    this.#mounter = mounter;
  }

  hold(volume: VolumeRecord, holder: string): Promise<void> {
    return this.inTurn(volume.path, async () => {
      await this.#mount(volume);
      const holders = this.#holders.get(volume.path) ?? new Set();
      this.#holders.set(volume.path, holders.add(holder));
    });
  }

  release(volume: VolumeRecord, holder: string): Promise<void> {
    return this.inTurn(volume.path, async () => {
      const holders = this.#holders.get(volume.path);
      holders?.delete(holder);
      if (holders?.size === 0) this.#holders.delete(volume.path);
      await this.#unmountUnheld(volume);
    });
  }

  /** While `work` runs nobody can take or let go of the volume, and nobody but `frozen` holds it. */
  steady<T>(volume: VolumeRecord, frozen: ReadonlySet<string>, work: () => Promise<T>): Promise<T> {
    return this.inTurn(volume.path, async () => {
      const writers = [...(this.#holders.get(volume.path) ?? [])].filter((holder) => !frozen.has(holder));
      if (writers.length > 0) throw inUse(volume, writers);
      await this.#mount(volume);
      try {
        return await work();
      } finally {
        await this.#unmountUnheld(volume);
      }
    });
  }

  inTurn<T>(path: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(path) ?? Promise.resolve()).then(work, work);
    this.#turns.set(path, turn);
    const over = () => {
      if (this.#turns.get(path) === turn) this.#turns.delete(path);
    };
    turn.then(over, over);
    return turn;
  }

  async #mount(volume: VolumeRecord): Promise<void> {
    const wanted = wantedMount(volume.options);
    if (wanted === undefined || this.#mounter.isMounted(volume.path)) return;
    try {
      const host = hostNameIn(wanted);
      const found = host === undefined ? wanted : withAddress(wanted, host, await this.#mounter.address(host));
      await this.#mounter.mount({ ...found, target: volume.path });
    } catch (cause) {
      throw failed(volume, cause);
    }
  }

  async #unmountUnheld(volume: VolumeRecord): Promise<void> {
    if (wantedMount(volume.options) === undefined || this.#holders.has(volume.path)) return;
    await this.#mounter.unmount(volume.path);
  }
}

function inUse(volume: VolumeRecord, holders: readonly string[]): GantryError {
  return new GantryError("conflict", {
    doing: "copy the volume",
    on: volume.name,
    because: `containers that may write to it run - [${holders.map((id) => id.slice(0, 12)).join(", ")}]`,
    next: "Stop them first, or use --pause, which freezes them meanwhile.",
  });
}

function failed(volume: VolumeRecord, cause: unknown): unknown {
  const known = cause instanceof GantryError;
  const because = known
    ? `${cause.parts.doing} ${cause.parts.on ?? ""}: ${cause.parts.because}`
    : cause instanceof Error
      ? cause.message
      : String(cause);
  return new GantryError(known ? cause.kind : "unavailable", {
    doing: "use the volume",
    on: volume.name,
    because: `failed to mount local volume: ${because}`,
    ...(known && cause.parts.next !== undefined ? { next: cause.parts.next } : {}),
    cause,
  });
}
