import type { Clock } from "#base/core/clock.ts";
import { systemRandom } from "#base/core/random.ts";
import { type Descriptor, type Digest, mediaTypes } from "#formats/oci/contract.ts";
import { digestOf } from "#formats/oci/digest.ts";
import { encodeDocument } from "#formats/oci/image-config.ts";
import { openTestStore, type TestStore } from "#images/store/testing/test-store.ts";
import type { Access, Registry } from "../contract.ts";
import { createRegistry } from "../registry.ts";

/** A clock that stands until it is pushed. */
export class StillClock implements Clock {
  time = 1_700_000_000_000;
  now = () => this.time;
  monotonic = () => this.time;
  sleep = (ms: number) => {
    this.time += ms;
    return Promise.resolve();
  };
}

export interface TestRegistryOptions {
  readonly access?: Access;
  readonly deletes?: boolean;
  readonly root?: string;
}

export interface TestRegistry extends AsyncDisposable {
  readonly here: TestStore;
  readonly clock: StillClock;
  readonly errors: unknown[];
  readonly registry: Registry;
  /** The path after /v2/, or a Location. */
  send(method: string, path: string, options?: SendOptions): Promise<Response>;
  /** A new registry object on the same store, as after a restart. */
  restart(): Promise<void>;
  pushBlob(repository: string, content: Uint8Array | string): Promise<Digest>;
  pushManifest(repository: string, target: string, document: object, type?: string): Promise<Response>;
  /** Everything nothing holds, however young. */
  collect(): Promise<void>;
}

export interface SendOptions {
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array | ReadableStream<Uint8Array>;
}

export async function openTestRegistry(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  const clock = new StillClock();
  const here = await openTestStore({
    clock,
    ...(options.root === undefined ? {} : { root: options.root, keep: true }),
  });
  const errors: unknown[] = [];
  const { root: _, ...more } = options;
  const make = () =>
    createRegistry({
      store: here.store,
      database: here.database,
      clock,
      random: systemRandom,
      onError: (error) => errors.push(error),
      ...more,
    });
  let registry = make();
  const send: TestRegistry["send"] = (method, path, { headers = {}, body } = {}) =>
    registry.fetch(
      new Request(new URL(path, "http://registry.test/v2/").href, {
        method,
        headers,
        ...(body === undefined ? {} : { body }),
      }),
    );
  return {
    here,
    clock,
    errors,
    get registry() {
      return registry;
    },
    send,
    async restart() {
      await registry[Symbol.asyncDispose]();
      registry = make();
    },
    async pushBlob(repository, content) {
      const digest = digestOf(content);
      const response = await send("POST", `${repository}/blobs/uploads/?digest=${digest}`, {
        body: content,
      });
      if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
      return digest;
    },
    pushManifest: (repository, target, document, type = mediaTypes.manifest) =>
      send("PUT", `${repository}/manifests/${target}`, {
        headers: { "Content-Type": type },
        body: encodeDocument(document),
      }),
    async collect() {
      clock.time += 10;
      await here.store.collect({ grace: -1000 });
    },
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await here[Symbol.asyncDispose]();
    },
  };
}

export function described(content: Uint8Array | string, mediaType: string): Descriptor {
  return { mediaType, digest: digestOf(content), size: Buffer.byteLength(content) };
}

/** An image manifest; its blobs are `config` and `layers` as they are. */
export function manifestOf(config: string, layers: readonly string[], more: object = {}) {
  return {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: described(config, mediaTypes.config),
    layers: layers.map((layer) => described(layer, mediaTypes.layer)),
    ...more,
  };
}

/** The first error's code. */
export async function codeOf(response: Response): Promise<string | undefined> {
  const body = (await response.json()) as { errors?: { code: string }[] };
  return body.errors?.[0]?.code;
}
