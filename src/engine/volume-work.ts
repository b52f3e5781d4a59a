import { mkdirSync, rmdirSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { Clock } from "#base/core/clock.ts";
import { GantryError } from "#base/core/errors.ts";
import type { Database } from "#base/system/database/contract.ts";
import type { WorkerPool } from "#base/system/pool/contract.ts";
import type { Containers } from "#containers/lifecycle/contract.ts";
import type { CreateVolume, VolumeRecord, Volumes } from "#containers/volume/contract.ts";
import type { CopyVolume, EventLog, VolumeWork } from "./contract.ts";
import { cloneTree } from "./copy/clone-tree.ts";
import { packTar, unpackTar } from "./copy/tasks.ts";

export interface VolumeWorkParts {
  readonly volumes: Volumes;
  readonly containers: Containers;
  readonly database: Database;
  readonly bulk: WorkerPool;
  readonly events: EventLog;
  readonly clock: Clock;
}

/** Whole volumes copied, carried and renamed: what Docker has no page for. */
export function createVolumeWork(parts: VolumeWorkParts): VolumeWork {
  const { volumes, containers, database, bulk, events, clock } = parts;
  const tell = (action: string, name: string) =>
    events.publish({ type: "volume", action, id: name, attributes: { driver: "local" } });

  /** Runs `work` while no container writes to the volume; with `pause` those that run are frozen meanwhile. */
  async function steady<T>(name: string, pause: boolean, work: (path: string) => Promise<T>): Promise<T> {
    volumes.require(name);
    const running = containers
      .list()
      .filter(({ state, volumes: used }) => state.status === "running" && used.some((use) => use.name === name));
    const asleep = containers.list().filter(({ state }) => state.status === "paused");
    const frozen: string[] = [];
    try {
      if (pause) {
        for (const { id } of running) {
          await containers.pause(id);
          frozen.push(id);
        }
      }
      const silent = new Set([...frozen, ...(pause ? asleep.map(({ id }) => id) : [])]);
      return await volumes.steady(name, silent, work);
    } finally {
      for (const id of frozen) await containers.unpause(id);
    }
  }

  async function copy(name: string, request: CreateVolume, { pause, signal }: CopyVolume): Promise<VolumeRecord> {
    const made = await steady(name, pause, (from) => volumes.createWith(request, (to) => cloneTree(from, to, signal)));
    tell("create", made.name);
    return made;
  }

  return {
    clone: (name, to, options) =>
      copy(name, { ...(to === undefined ? {} : { name: to }), labels: volumes.require(name).labels }, options),
    snapshot(name, as, options) {
      const moment = new Date(clock.now()).toISOString();
      const { labels } = volumes.require(name);
      const taken = { "io.gantry.snapshot.of": name, "io.gantry.snapshot.at": moment };
      const made = `${name}-${moment.replace(/[-:]/g, "").replace(/\..*/, "Z")}`;
      return copy(name, { name: as ?? made, labels: { ...labels, ...taken } }, options);
    },
    pack: (name, file, { pause, signal }) =>
      steady(name, pause, async (root) => {
        await bulk.run(packTar, { root, path: "/", file, name: "." }, { signal });
      }),
    async unpack(request, file, signal) {
      const time = Math.floor(clock.now() / 1000);
      const made = await volumes.createWith(request, async (folder) => {
        // Made by the archive it has the owner and mode in it; one that is there already keeps its own.
        rmdirSync(folder);
        const place = { root: dirname(folder), path: `/${basename(folder)}` };
        await bulk.run(unpackTar, { ...place, file, time, keepTimes: true }, { signal });
        mkdirSync(folder, { recursive: true, mode: 0o755 });
      });
      tell("create", made.name);
      return made;
    },
    rename(name, to, amend) {
      if (name === to) {
        throw new GantryError("conflict", { doing: "rename the volume to", on: to, because: "that is its name" });
      }
      const { renamed, apply } = database.transaction("volumes.rename", () => ({
        renamed: volumes.rename(name, to),
        apply: containers.renameVolume(name, to, amend),
      }));
      apply();
      tell("rename", to);
      return renamed;
    },
  };
}
