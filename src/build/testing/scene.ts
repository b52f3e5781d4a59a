import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { systemClock } from "#base/core/clock.ts";
import { type Faults, noFaults } from "#base/core/faults.ts";
import { systemRandom } from "#base/core/random.ts";
import { openDatabase } from "#base/system/database/database.ts";
import { enterPrivateMounts } from "#base/system/namespaces/testing/private-mounts.ts";
import type { WorkerPool } from "#base/system/pool/contract.ts";
import { openWorkerPool } from "#base/system/pool/worker-pool.ts";
import type { Networks } from "#containers/network/contract.ts";
import { openCrun } from "#containers/runtime/crun.ts";
import { makeBusyboxRoot } from "#containers/runtime/testing/busybox-root.ts";
import { type Digest, mediaTypes } from "#formats/oci/contract.ts";
import { encodeDocument } from "#formats/oci/image-config.ts";
import { hostPlatform } from "#formats/oci/platform.ts";
import { normalizeReference } from "#formats/oci/reference.ts";
import { entriesOf } from "#formats/tar/streams.ts";
import { storeTasks } from "#images/store/bulk.ts";
import type { ImageRecord, Store } from "#images/store/contract.ts";
import { openStore } from "#images/store/open-store.ts";
import { inlinePool } from "#images/store/testing/test-store.ts";
import { openBuilder } from "../builder.ts";
import { bulkImplementations } from "../bulk.ts";
import type { BuildEvent, Builder, BuildRequest, BuildResult, Download } from "../contract.ts";
import { kernelImplementations } from "../kernel.ts";

/** For tests: a builder on a real store and real containers in a scratch folder; mounts are this process's own. */
export interface BuildScene extends AsyncDisposable {
  readonly folder: string;
  readonly store: Store;
  readonly builder: Builder;
  /** What URLs answer; none does by itself. */
  readonly web: Map<string, string | Uint8Array>;
  /** Builds the Dockerfile over a context of these files; events are collected. */
  build(
    dockerfile: string,
    files?: Files,
    more?: Partial<BuildRequest>,
    signal?: AbortSignal,
    watch?: (event: BuildEvent) => void,
  ): Promise<Built>;
  /** A rootfs of busybox as the image "busybox". */
  plantBusybox(changes?: Readonly<Record<string, unknown>>): Promise<ImageRecord>;
  context(files: Files): string;
}

/** Path to content. A name that ends in "/" is a folder, a value that begins with "-> " a link, with "#!" an executable. */
export type Files = Readonly<Record<string, string | Uint8Array>>;

export interface Built extends BuildResult {
  readonly events: readonly BuildEvent[];
  readonly output: string;
}

export interface SceneOptions {
  readonly folder?: string;
  readonly faults?: Faults;
  /** Tasks run on the spot, so that faults reach inside them. */
  readonly inline?: boolean;
  readonly networks?: Pick<Networks, "lease" | "release">;
  readonly keep?: boolean;
  /** False: it stays in the mounts of its caller. */
  readonly ownMounts?: boolean;
}

const noNetworks: Pick<Networks, "lease" | "release"> = {
  lease: () => Promise.reject(new Error("this test has no network")),
  release: () => Promise.resolve(),
};

export const request: Omit<BuildRequest, "context" | "dockerfile"> = {
  buildArgs: {},
  labels: {},
  noCache: false,
  pull: false,
  network: "none",
  addHosts: [],
  limits: {},
  keepVolatile: false,
  keepMode: false,
  noFixedEnv: false,
};

export async function openBuildScene(options: SceneOptions = {}): Promise<BuildScene> {
  if (options.ownMounts ?? true) enterPrivateMounts();
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), "gantry-build-"));
  mkdirSync(folder, { recursive: true });
  const faults = options.faults ?? noFaults;
  const worker = (name: "kernel" | "bulk") =>
    openWorkerPool({ name, entry: new URL(`../../workers/${name}.ts`, import.meta.url), size: 2 });
  const bulk: WorkerPool = options.inline
    ? inlinePool([...storeTasks(faults), ...bulkImplementations])
    : worker("bulk");
  const kernel: WorkerPool = options.inline ? inlinePool(kernelImplementations) : worker("kernel");
  const database = openDatabase(join(folder, "gantry.db"), { faults });
  const steps = openDatabase(join(folder, "build.db"), { faults });
  const store = await openStore({ root: folder, database, bulk, faults });
  const web = new Map<string, string | Uint8Array>();
  const builder = await openBuilder({
    store,
    runtime: openCrun({ state: join(folder, "crun") }),
    networks: options.networks ?? noNetworks,
    kernel,
    bulk,
    bases: { find: async (reference) => store.images.resolve(reference) },
    downloads: { get: async (url) => answer(web, url) },
    database: steps,
    scratch: join(folder, "build"),
    cacheMounts: join(folder, "build-caches"),
    machineRoot: "/",
    // crun removes the cgroup it made, not one above it.
    cgroupParent: "",
    clock: systemClock,
    random: systemRandom,
    faults,
  });
  let contexts = 0;
  const context = (files: Files) => writeFiles(join(folder, `context-${process.pid}-${++contexts}`), files);
  return {
    folder,
    store,
    builder,
    web,
    context,
    plantBusybox: (changes = {}) => plantBusybox(store, changes),
    async build(text, files = {}, more = {}, signal = new AbortController().signal, watch = () => undefined) {
      const events: BuildEvent[] = [];
      const asked = {
        ...request,
        context: context(files),
        dockerfile: { name: "Dockerfile", bytes: Buffer.from(text) },
        ...more,
      };
      const result = await builder.build(asked, signal, (event) => {
        events.push(event);
        watch(event);
      });
      const logs = events.flatMap((event) => (event.type === "log" ? [event.bytes] : []));
      return { ...result, events, output: Buffer.concat(logs).toString() };
    },
    async [Symbol.asyncDispose]() {
      await builder[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      await bulk[Symbol.asyncDispose]();
      await kernel[Symbol.asyncDispose]();
      steps[Symbol.dispose]();
      database[Symbol.dispose]();
      if (!options.keep) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function answer(web: ReadonlyMap<string, string | Uint8Array>, url: string): Download {
  const content = web.get(url);
  if (content === undefined) throw new Error(`nothing at ${url}`);
  const body = (async function* () {
    yield Buffer.from(content);
  })();
  return { body, fileName: new URL(url).pathname.split("/").at(-1)! };
}

async function plantBusybox(store: Store, changes: Readonly<Record<string, unknown>>): Promise<ImageRecord> {
  const snapshot = store.snapshots.prepare("busybox", undefined);
  makeBusyboxRoot(snapshot.upper);
  const written = await store.snapshots.write(snapshot, { layerTime: 1_500_000_000, exact: [""] });
  store.snapshots.commit(snapshot, written);
  const { architecture, os } = hostPlatform();
  const config = encodeDocument({
    architecture,
    os,
    created: "2017-07-14T02:40:00Z",
    config: { Env: ["PATH=/bin"], Cmd: ["sh"], ...changes },
    rootfs: { type: "layers", diff_ids: [written.diffId] },
    history: [{ created: "2017-07-14T02:40:00Z", created_by: "busybox" }],
  });
  const put = await store.blobs.put(config);
  const manifest = await store.blobs.put(
    encodeDocument({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: { mediaType: mediaTypes.config, digest: put.digest, size: put.size },
      layers: [{ mediaType: written.mediaType, digest: written.digest, size: written.size }],
    }),
  );
  const target = { mediaType: mediaTypes.manifest, digest: manifest.digest, size: manifest.size };
  return store.images.put(target, [normalizeReference("busybox")]);
}

function writeFiles(folder: string, files: Files): string {
  mkdirSync(folder, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    if (path.endsWith("/")) mkdirSync(target, { recursive: true });
    else if (typeof content === "string" && content.startsWith("-> ")) symlinkSync(content.slice(3), target);
    else writeFileSync(target, content, { mode: String(content).startsWith("#!") ? 0o755 : 0o644 });
  }
  return folder;
}

/** A layer's entries: name to what `ls -l` would say, with content or link. */
export async function layerEntries(store: Store, layer: { readonly digest: Digest }): Promise<Map<string, LayerEntry>> {
  const bytes = Bun.gunzipSync(readFileSync(store.blobs.path(layer.digest)));
  const stream = (async function* () {
    yield bytes;
  })();
  const entries = new Map<string, LayerEntry>();
  for await (const { entry, content } of entriesOf(stream)) {
    const pieces: Uint8Array[] = [];
    for await (const piece of content) pieces.push(piece.slice());
    const text = Buffer.concat(pieces).toString();
    const { mode, uid, gid, modified } = entry;
    const name = Buffer.from(entry.name).toString();
    const link = Buffer.from(entry.linkName).toString();
    entries.set(name, {
      type: entry.type,
      mode: mode.toString(8),
      owner: `${uid}:${gid}`,
      time: modified.seconds,
      text: link === "" ? text : `-> ${link}`,
    });
  }
  return entries;
}

export interface LayerEntry {
  readonly type: string;
  readonly mode: string;
  readonly owner: string;
  readonly time: number;
  readonly text: string;
}
