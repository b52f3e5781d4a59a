import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "#base/core/clock.ts";
import type { Faults } from "#base/core/faults.ts";
import { openDatabase } from "#base/system/database/database.ts";
import { migrate } from "#base/system/database/migrate.ts";
import { openWorkerPool } from "#base/system/pool/worker-pool.ts";
import { openPacketConnector } from "#base/system/sockets/packet-connector.ts";
import type { Networks } from "#containers/network/contract.ts";
import { openCrun } from "#containers/runtime/crun.ts";
import { busyboxScene, type Scene } from "#containers/runtime/testing/busybox-root.ts";
import { openContainers } from "../containers.ts";
import type { ContainerConfig, Containers, CreateRequest, RootFilesystem } from "../contract.ts";
import { containerSchema } from "../table.ts";

/** For tests: an engine's worth of containers in a scratch folder. `leave` ends it as a kill would: nothing is told. */
export interface LifecycleScene extends AsyncDisposable {
  readonly base: Scene;
  readonly containers: Containers;
  create(args: readonly string[], more?: Overrides): Promise<string>;
}

export type Overrides = Omit<Partial<CreateRequest>, "config"> & {
  readonly config?: Omit<Partial<ContainerConfig>, "process"> & { process?: Partial<ContainerConfig["process"]> };
};

export interface SceneOptions {
  /** Goes on with the folder of an earlier scene. */
  readonly base?: Scene;
  readonly faults?: Faults;
  readonly clock?: Clock;
  readonly networks?: (base: Scene) => Networks;
  /** Milliseconds; for the slow reader. */
  readonly patience?: number;
}

export function openScene(options: SceneOptions = {}): LifecycleScene {
  const base = options.base ?? busyboxScene();
  const pool = openWorkerPool({
    name: "kernel",
    entry: new URL("../../../workers/kernel.ts", import.meta.url),
    size: 2,
  });
  const packets = openPacketConnector({
    entry: new URL("../../../workers/attach.ts", import.meta.url),
    ...(options.patience === undefined ? {} : { patience: options.patience }),
  });
  const database = openDatabase(
    join(base.folder, "test.db"),
    options.faults === undefined ? {} : { faults: options.faults },
  );
  migrate(database, "containers", containerSchema);
  const run = join(base.folder, "run");
  mkdirSync(run, { recursive: true });
  const networks = options.networks?.(base);
  const containers = openContainers({
    layout: { data: join(base.folder, "data"), run },
    database,
    runtime: openCrun({ state: join(run, "crun") }),
    rootfs: overlayOver(base),
    kernel: pool,
    packets,
    ...(networks === undefined ? {} : { networks }),
    ...(options.faults === undefined ? {} : { faults: options.faults }),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  });
  return {
    base,
    containers,
    create: async (args, { config, ...more } = {}) => {
      const record = await containers.create({
        sandbox: { network: { kind: "none" }, cgroupParent: "" },
        image: "busybox",
        ...more,
        config: { ...config, process: { args, ...config?.process } },
      });
      return record.id;
    },
    [Symbol.asyncDispose]: async () => {
      for (const { id } of containers.list()) await containers.remove(id, { force: true }).catch(() => undefined);
      await containers[Symbol.asyncDispose]();
      await networks?.dismantle();
      await networks?.[Symbol.asyncDispose]();
      await packets[Symbol.asyncDispose]();
      await pool[Symbol.asyncDispose]();
      database[Symbol.dispose]();
      base[Symbol.dispose]();
    },
  };
}

function overlayOver(base: Scene): RootFilesystem {
  const folder = (id: string) => join(base.folder, "layers", id);
  return {
    prepare: async (id) => {
      mkdirSync(join(folder(id), "upper"), { recursive: true });
      mkdirSync(join(folder(id), "work"), { recursive: true });
      return {
        cwd: base.folder,
        options: `lowerdir=rootfs,upperdir=layers/${id}/upper,workdir=layers/${id}/work,redirect_dir=off,metacopy=off,index=off`,
        upper: join(folder(id), "upper"),
      };
    },
    readOnly: async () => ({ cwd: base.folder, options: "lowerdir=rootfs:rootfs,redirect_dir=off" }),
    remove: async (id) => {
      Bun.spawnSync(["rm", "-rf", folder(id)]);
    },
  };
}
