import { createHash } from "node:crypto";
import type { Clock } from "#base/core/clock.ts";
import { describe, GantryError, isKind } from "#base/core/errors.ts";
import type { BuildEvent, Builder, BuildRequest, CredentialSource } from "#build/contract.ts";
import type { Containers } from "#containers/lifecycle/contract.ts";
import type { AuthConfig } from "#formats/docker/image.ts";
import type { Platform } from "#formats/oci/contract.ts";
import { formatPlatform } from "#formats/oci/platform.ts";
import { canonicalReference, familiarReference, parseReference, withDefaultTag } from "#formats/oci/reference.ts";
import type { Credentials } from "#images/distribution/contract.ts";
import { openRepository } from "#images/distribution/repository.ts";
import type { ImageRecord, Store } from "#images/store/contract.ts";
import type { LayerProgress, Transfer } from "#images/transfer/contract.ts";
import { commitContainer } from "./commit.ts";
import type { EventLog, ImageWork, ReceivedContext, TransferProgress } from "./contract.ts";
import { ImageRemoval } from "./image-removal.ts";
import { lookUp } from "./look-up.ts";

export interface ImageWorkParts {
  readonly store: Store;
  readonly transfer: Transfer;
  readonly builder: Builder;
  readonly containers: Containers;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly machineLoopback?: string;
  readonly receive: (
    body: AsyncIterable<Uint8Array>,
    dockerfile: string,
    signal: AbortSignal,
  ) => Promise<ReceivedContext>;
}

const words: Readonly<Record<LayerProgress["phase"], string>> = {
  waiting: "Waiting",
  downloading: "Downloading",
  unpacking: "Extracting",
  done: "Pull complete",
  here: "Already exists",
  uploading: "Pushing",
  mounted: "Mounted",
  uploaded: "Pushed",
};

function transferProgress({ descriptor, phase, bytes }: LayerProgress): TransferProgress {
  return {
    status: words[phase],
    id: descriptor.digest.slice(7, 19),
    ...(bytes === undefined ? {} : { current: bytes, total: descriptor.size }),
  };
}

export function credentialsOf(auth: AuthConfig): Credentials {
  const [username, password] = !auth.auth ? [auth.username, auth.password] : splitAuth(auth.auth);
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(auth.identitytoken ? { identityToken: auth.identitytoken } : {}),
  };
}

function splitAuth(encoded: string): [string, string] {
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const at = text.indexOf(":");
  return [text.slice(0, at), text.slice(at + 1)];
}

export function createImageWork(parts: ImageWorkParts): ImageWork {
  const { store, transfer, builder, events } = parts;
  const removal = new ImageRemoval(store, parts.containers, events);
  const tell = (action: string, record: ImageRecord, name: string) =>
    events.publish({ type: "image", action, id: record.id, attributes: { name } });

  return {
    receiveContext: parts.receive,
    async pull(reference, { auth, platform, signal, onProgress }) {
      const shown = familiarReference(parseReference(reference));
      onProgress({ status: `Pulling from ${shown}` });
      const pulled = await transfer.pull(reference, {
        signal,
        ...(platform === undefined ? {} : { platform }),
        ...(auth === undefined ? {} : { credentials: credentialsOf(auth) }),
        onProgress: (progress) => onProgress(transferProgress(progress)),
      });
      tell("pull", pulled.record, shown);
      return { record: pulled.record, updated: pulled.updated };
    },
    async push(reference, { auth, signal, onProgress }) {
      const descriptor = await transfer.push(reference, {
        signal,
        ...(auth === undefined ? {} : { credentials: credentialsOf(auth) }),
        onProgress: (progress) => onProgress(transferProgress(progress)),
      });
      tell("push", store.images.resolve(reference), familiarReference(parseReference(reference)));
      return descriptor;
    },
    async build(
      request: BuildRequest,
      tags: readonly string[],
      signal: AbortSignal,
      onEvent: (event: BuildEvent) => void,
    ) {
      const result = await builder.build(request, signal, onEvent);
      const record = store.images.put(result.manifest, tags);
      tell("build", record, tags[0] ?? "");
      return record;
    },
    lookUp: (reference, { auth, signal }) =>
      lookUp(reference, auth === undefined ? undefined : credentialsOf(auth), signal),
    async commit(request) {
      const record = await commitContainer(parts, request);
      const { id, name, image } = parts.containers.get(request.container);
      const attributes = {
        name,
        image,
        comment: request.comment ?? "",
        imageID: record.id,
        imageRef: request.name ?? "",
      };
      events.publish({ type: "container", action: "commit", id, attributes });
      return record;
    },
    async login(auth, signal) {
      const server = (auth.serveraddress ?? "").replace(/^https?:\/\//, "").replace(/\/.*$/, "");
      const domain = server === "" || server === "index.docker.io" ? "docker.io" : server;
      const reference = parseReference(`${domain}/login-check`);
      const { machineLoopback } = parts;
      const surroundings = machineLoopback === undefined ? {} : { machineLoopback };
      const credentials = credentialsOf(auth);
      await openRepository({ reference, credentials, actions: ["pull"], ...surroundings }).ping(signal);
      return { status: "Login Succeeded" };
    },
    remove: (name, force) => removal.remove(name, force),
    prune: (all, wanted) => removal.prune(all, wanted),
  };
}

/** A stable id of this data root, for GET /info. */
export function engineId(dataRoot: string): string {
  return createHash("sha256").update(dataRoot).digest("hex").slice(0, 32);
}

/** FROM: the image here, or pulled. Errors: "not-found" when it is nowhere. */
export async function findBase(
  store: Store,
  transfer: Transfer,
  reference: string,
  options: {
    readonly pull: boolean;
    readonly credentials?: CredentialSource;
    readonly signal: AbortSignal;
    readonly onProgress: (what: string, done: number, total?: number) => void;
    readonly platform: Platform;
  },
): Promise<ImageRecord> {
  const name = canonicalReference(withDefaultTag(parseReference(reference)));
  const here = store.images.list().find((record) => record.names.includes(name)) ?? localByDigest(store, reference);
  if (here !== undefined && !options.pull && (await isFor(store, here, options.platform))) return here;
  try {
    const credentials = await options.credentials?.(parseReference(name).domain);
    const { record } = await transfer.pull(name, {
      ...(credentials === undefined ? {} : { credentials }),
      platform: options.platform,
      signal: options.signal,
      onProgress: ({ descriptor, phase, bytes }) =>
        options.onProgress(`${words[phase]} ${descriptor.digest.slice(7, 19)}`, bytes ?? 0, descriptor.size),
    });
    return record;
  } catch (cause) {
    options.signal.throwIfAborted();
    throw new GantryError("not-found", {
      doing: "find the base image",
      on: reference,
      because: `it is not here${here === undefined ? "" : ` for ${formatPlatform(options.platform)}`}, and it could not be pulled: ${cause instanceof GantryError ? cause.parts.because : describe(cause)}`,
      next: "Load, import or bootstrap it first ('gantry bootstrap' makes Debian base images), or name a registry that has it.",
      cause,
    });
  }
}

/** An image here for other platforms only is no base. */
async function isFor(store: Store, record: ImageRecord, platform: Platform): Promise<boolean> {
  try {
    await store.images.open(record, platform);
    return true;
  } catch (error) {
    if (isKind(error, "not-found")) return false;
    throw error;
  }
}

function localByDigest(store: Store, reference: string): ImageRecord | undefined {
  const { digest } = parseReference(reference);
  return digest === undefined ? undefined : store.images.get(digest);
}
