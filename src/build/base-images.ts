import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Range } from "#formats/dockerfile/contract.ts";
import type { Digest, ImageConfig } from "#formats/oci/contract.ts";
import { formatPlatform } from "#formats/oci/platform.ts";
import type { BuildRequest } from "./contract.ts";
import { atPlace } from "./copy-step.ts";
import type { Origin } from "./graph.ts";
import { draftOf, type ImageDraft } from "./image-draft.ts";
import type { BuildScope } from "./layer-step.ts";
import type { Places } from "./places.ts";
import { mountRoot, unmountRoot } from "./tasks.ts";

export interface OpenedImage {
  readonly config: ImageConfig;
  readonly draft: ImageDraft;
}

/** The images a build starts from or copies from: found once, unpacked, held, mounted where their files are read. */
export class BaseImages implements AsyncDisposable {
  readonly #scope: BuildScope;
  readonly #request: Pick<BuildRequest, "pull" | "credentials">;
  readonly #places: Places;
  readonly #opened = new Map<string, Promise<OpenedImage>>();
  readonly #mounted = new Map<string, string>();

  constructor(scope: BuildScope, request: Pick<BuildRequest, "pull" | "credentials">, places: Places) {
    this.#scope = scope;
    this.#request = request;
    this.#places = places;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const target of this.#mounted.values()) await this.#scope.ports.kernel.run(unmountRoot, { target });
    this.#mounted.clear();
  }

  open(origin: Extract<Origin, { kind: "image" }>, step: number, range: Range): Promise<OpenedImage> {
    const key = `${origin.reference} ${formatPlatform(origin.platform)}`;
    const known = this.#opened.get(key) ?? this.#open(origin, step, range);
    this.#opened.set(key, known);
    return known;
  }

  async #open(origin: Extract<Origin, { kind: "image" }>, step: number, range: Range): Promise<OpenedImage> {
    const { ports, lease, signal, emit } = this.#scope;
    const { platform, reference } = origin;
    const onProgress = (what: string, done: number, total?: number) =>
      emit({ type: "progress", step, what, done, ...(total === undefined ? {} : { total }) });
    const { pull, credentials } = this.#request;
    const asked = { platform, pull, signal, onProgress, ...(credentials === undefined ? {} : { credentials }) };
    try {
      const record = await ports.bases.find(reference, asked);
      lease.add({ image: record.id });
      const image = await ports.store.images.open(record, platform);
      const chain = await ports.store.layers.ensure(image, { signal });
      if (chain !== undefined) lease.add({ chain });
      const { config, manifest } = image;
      return { config, draft: draftOf({ config, layers: manifest.layers, chain: image.chain }) };
    } catch (error) {
      throw atPlace(error, range, this.#places);
    }
  }

  /** The files of a chain, read-only, until the build ends. */
  async mount(chain: Digest | undefined): Promise<{ folder: string; key: string }> {
    const key = chain ?? "scratch";
    const known = this.#mounted.get(key);
    if (known !== undefined) return { folder: known, key };
    const folder = join(this.#scope.folder, `files-${this.#mounted.size}`);
    const target = join(folder, "root");
    mkdirSync(target, { recursive: true, mode: 0o700 });
    if (chain !== undefined) {
      const data = this.#scope.ports.store.snapshots.readOnlyMountData(chain);
      await this.#scope.ports.kernel.run(mountRoot, { data, target });
      this.#mounted.set(key, target);
    }
    return { folder: target, key };
  }
}
