import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { GantryError } from "#base/core/errors.ts";
import { migrate } from "#base/system/database/migrate.ts";
import type { Platform } from "#formats/oci/contract.ts";
import type { ImageRecord } from "#images/store/contract.ts";
import { removeTrees } from "#images/store/tasks.ts";
import { BuildRun } from "./build-run.ts";
import { cacheMigrations, StepCache } from "./cache.ts";
import { CacheMounts } from "./cache-mounts.ts";
import type {
  BuildEvent,
  Builder,
  BuilderPorts,
  BuildRequest,
  BuildResult,
  CachedStep,
  ImageFiles,
} from "./contract.ts";
import { openImageFiles } from "./image-files.ts";
import { cacheOwner, snapshotPrefix } from "./layer-step.ts";
import { unmountRoot } from "./tasks.ts";

/** Opens the builder and clears away what an engine that died in a build left behind. */
export async function openBuilder(ports: BuilderPorts): Promise<Builder> {
  migrate(ports.database, "build", cacheMigrations);
  await clearLeftovers(ports);
  return new DockerfileBuilder(ports, new StepCache(ports.database));
}

/** Processes, then mounts, then snapshots and folders: each holds on to the next. */
async function clearLeftovers(ports: BuilderPorts): Promise<void> {
  const { scratch, runtime, kernel, store, networks } = ports;
  mkdirSync(scratch, { recursive: true, mode: 0o700 });
  for (const build of readdirSync(scratch)) {
    for (const name of readdirSync(join(scratch, build))) {
      const folder = join(scratch, build, name);
      if (existsSync(join(folder, "bundle"))) {
        const id = `build-${build}-${name.replace("step-", "")}`;
        await runtime.delete(id);
        await networks.release(id);
      }
      await kernel.run(unmountRoot, { target: join(folder, "root") });
    }
    rmSync(join(scratch, build), { recursive: true, force: true });
  }
  for (const { key } of store.snapshots.list()) if (key.startsWith(snapshotPrefix)) store.snapshots.remove(key);
}

class DockerfileBuilder implements Builder {
  readonly #ports: BuilderPorts;
  readonly #cache: StepCache;
  readonly #caches: CacheMounts;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  constructor(ports: BuilderPorts, cache: StepCache) {
    this.#ports = ports;
    this.#cache = cache;
    this.#caches = new CacheMounts(ports.cacheMounts);
  }

  async build(request: BuildRequest, signal: AbortSignal, onEvent: (event: BuildEvent) => void): Promise<BuildResult> {
    const both = AbortSignal.any([signal, this.#closing.signal]);
    const work = this.#one(request, both, onEvent);
    this.#running.add(work);
    try {
      return await work;
    } catch (error) {
      if (both.aborted) throw cancelled(request.dockerfile.name, error);
      throw error;
    } finally {
      this.#running.delete(work);
    }
  }

  async #one(request: BuildRequest, signal: AbortSignal, onEvent: (event: BuildEvent) => void): Promise<BuildResult> {
    signal.throwIfAborted();
    await using run = new BuildRun(this.#ports, this.#cache, this.#caches, request, signal, onEvent);
    return await run.result();
  }

  async pruneCache(before?: number): Promise<number> {
    const bound = before ?? Number.MAX_SAFE_INTEGER;
    const keys = this.#cache.olderThan(bound);
    const count = this.#cache.prune(bound);
    for (const key of keys) this.#ports.store.leases.unpin(cacheOwner(key));
    if (before === undefined) await this.#ports.bulk.run(removeTrees, { paths: this.#caches.idle() });
    return count;
  }

  openFiles(image: ImageRecord, platform: Platform | undefined, signal: AbortSignal): Promise<ImageFiles> {
    return openImageFiles(this.#ports, image, platform, signal);
  }

  cached(): readonly CachedStep[] {
    return this.#cache.all();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#running);
  }
}

function cancelled(name: string, cause: unknown): GantryError {
  return new GantryError("cancelled", { doing: "build the Dockerfile", on: name, because: "it was stopped", cause });
}
