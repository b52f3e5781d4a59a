import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "#base/core/clock.ts";
import { GantryError } from "#base/core/errors.ts";
import { type Faults, noFaults } from "#base/core/faults.ts";
import type { Database } from "#base/system/database/contract.ts";
import { openDatabase } from "#base/system/database/database.ts";
import type { Implementation, RunOptions, Task, WorkerPool } from "#base/system/pool/contract.ts";
import { type Descriptor, type Digest, mediaTypes } from "#formats/oci/contract.ts";
import { digestOf } from "#formats/oci/digest.ts";
import { encodeDocument } from "#formats/oci/image-config.ts";
import type { TarEntry } from "#formats/tar/contract.ts";
import { createGzipWriter } from "#formats/tar/gzip.ts";
import { createTarWriter, tarEntry } from "#formats/tar/writer.ts";
import { storeTasks } from "../bulk.ts";
import type { Store } from "../contract.ts";
import { openStore } from "../open-store.ts";

/** Runs tasks on the spot, so that a test's faults and its kill reach inside them. */
export function inlinePool(tasks: readonly Implementation[]): WorkerPool {
  return {
    async run<A, R>(task: Task<A, R>, args: A, options: RunOptions = {}): Promise<R> {
      await new Promise(setImmediate);
      const found = tasks.find((candidate) => candidate.name === task.name);
      if (found === undefined) throw new Error(`no task ${task.name}`);
      const aborted = () => options.signal?.aborted ?? false;
      const check = () => {
        if (aborted()) throw new GantryError("cancelled", { doing: "run the task", on: task.name, because: "aborted" });
      };
      return (await found.run(structuredClone(args), {
        aborted,
        check,
        progress: (value) => options.onProgress?.(value),
      })) as R;
    },
    warm: () => undefined,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

export interface TestStore extends AsyncDisposable {
  readonly root: string;
  readonly store: Store;
  readonly database: Database;
}

export interface TestStoreOptions {
  readonly root?: string;
  readonly faults?: Faults;
  readonly clock?: Clock;
  readonly boot?: string;
  /** Leaves the folder when disposed. */
  readonly keep?: boolean;
}

export function scratch(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "store-test-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export async function openTestStore(options: TestStoreOptions = {}): Promise<TestStore> {
  const root = options.root ?? mkdtempSync(join(tmpdir(), "store-test-"));
  mkdirSync(root, { recursive: true });
  const faults = options.faults ?? noFaults;
  const database = openDatabase(join(root, "gantry.db"), { faults });
  const { clock, boot } = options;
  const store = await openStore({
    root,
    database,
    faults,
    bulk: inlinePool(storeTasks(faults)),
    ...(clock === undefined ? {} : { clock }),
    ...(boot === undefined ? {} : { boot }),
  });
  return {
    root,
    store,
    database,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      database[Symbol.dispose]();
      if (!options.keep) rmSync(root, { recursive: true, force: true });
    },
  };
}

export const latin1 = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));

/** An entry in a few words; text is Latin-1, content too. */
export interface TestEntry extends Omit<Partial<TarEntry>, "name" | "linkName"> {
  readonly name: string;
  readonly linkName?: string;
  readonly content?: string | Uint8Array;
}

export function layerTar(entries: readonly TestEntry[]): Uint8Array {
  const chunks: Uint8Array[] = [];
  const writer = createTarWriter((chunk) => chunks.push(chunk.slice()));
  for (const { name, linkName, content = "", ...rest } of entries) {
    const bytes = typeof content === "string" ? latin1(content) : content;
    const type = rest.type ?? "file";
    writer.entry(
      tarEntry({
        mode: type === "directory" ? 0o755 : 0o644,
        modified: { seconds: 1_000_000_000, nanoseconds: 0 },
        ...rest,
        type,
        name: latin1(name),
        linkName: latin1(linkName ?? ""),
        size: bytes.length,
      }),
    );
    writer.data(bytes);
  }
  writer.finish();
  return Buffer.concat(chunks);
}

export function gzip(bytes: Uint8Array): Uint8Array {
  const chunks: Uint8Array[] = [];
  const writer = createGzipWriter((chunk) => chunks.push(chunk.slice()));
  writer.push(bytes);
  writer.finish();
  return Buffer.concat(chunks);
}

export interface PlantedLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

/** Puts a layer's blob into the store. */
export async function plantLayer(store: Store, tar: Uint8Array, packed = false): Promise<PlantedLayer> {
  const bytes = packed ? gzip(tar) : tar;
  const info = await store.blobs.put(bytes);
  const mediaType = packed ? mediaTypes.layerGzip : mediaTypes.layer;
  return { descriptor: { mediaType, digest: info.digest, size: info.size }, diffId: digestOf(tar) };
}

/** A whole image of these layers, named. */
export async function plantImage(store: Store, name: string | undefined, layers: readonly PlantedLayer[], label = "") {
  const config = encodeDocument({
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    os: "linux",
    config: { Labels: { label }, Cmd: ["true"] },
    rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
  });
  const configInfo = await store.blobs.put(config);
  const manifest = encodeDocument({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: configInfo.digest, size: configInfo.size },
    layers: layers.map((layer) => layer.descriptor),
  });
  const { digest, size } = await store.blobs.put(manifest);
  return store.images.put({ mediaType: mediaTypes.manifest, digest, size }, name === undefined ? [] : [name]);
}
