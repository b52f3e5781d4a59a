import { Readable } from "node:stream";
import { GantryError, isKind } from "#base/core/errors.ts";
import type { Engine } from "#engine/contract.ts";
import type { AuthConfig } from "#formats/docker/image.ts";
import { canonicalReference, familiarReference, parseReference, withDefaultTag } from "#formats/oci/reference.ts";
import { filters, flag, onlyFilters } from "../call.ts";
import type { Answer, Call, Route } from "../contract.ts";
import { findImage } from "../find-image.ts";
import { hasLabel } from "../labels.ts";
import { moment } from "../moment.ts";
import { openToShow, platformOf } from "../platform.ts";
import { jsonLines, progressLine } from "../progress.ts";
import { imageHistory, imageInspect, imageSummary, repoDigests, repoTags } from "../shape/image.ts";

export function imageRoutes(engine: Engine): Route[] {
  return [
    { method: "GET", path: "/images/json", handle: (call) => list(engine, call) },
    {
      method: "POST",
      path: "/images/create",
      handle: async (call) => (call.query.has("fromSrc") ? importImage(engine, call) : pull(engine, call)),
    },
    { method: "POST", path: "/images/load", handle: (call) => load(engine, call) },
    { method: "POST", path: "/images/prune", handle: (call) => prune(engine, call) },
    { method: "GET", path: "/images/get", handle: (call) => save(engine, call.query.getAll("names"), call) },
    { method: "GET", path: "/images/:name{.+}/get", handle: (call) => save(engine, [call.params.name!], call) },
    {
      method: "GET",
      path: "/images/:name{.+}/json",
      handle: async (call) => ({ status: 200, json: imageInspect(await open(engine, call)) }),
    },
    {
      method: "GET",
      path: "/images/:name{.+}/history",
      handle: async (call) => ({ status: 200, json: imageHistory(await open(engine, call)) }),
    },
    { method: "POST", path: "/images/:name{.+}/push", handle: (call) => push(engine, call) },
    { method: "POST", path: "/images/:name{.+}/tag", handle: (call) => tag(engine, call) },
    { method: "DELETE", path: "/images/:name{.+}", handle: (call) => remove(engine, call) },
  ];
}

function open(engine: Engine, call: Call) {
  const name = call.params.name!;
  return openToShow(engine, findImage(engine, name), name, platformOf(call));
}

/** Credentials of a request's header; absent and {} are none. Error "invalid". */
export function authOf(call: Call): { auth?: AuthConfig } {
  const header = call.headers["x-registry-auth"];
  if (typeof header !== "string" || header === "") return {};
  try {
    const auth = JSON.parse(Buffer.from(header, "base64url").toString("utf8")) as AuthConfig;
    return Object.keys(auth).length === 0 ? {} : { auth };
  } catch (cause) {
    throw new GantryError("invalid", { doing: "read X-Registry-Auth", because: "it is not base64url JSON", cause });
  }
}

async function list(engine: Engine, call: Call): Promise<Answer> {
  const wanted = filters(call.query);
  onlyFilters("images", wanted, ["dangling", "reference", "label", "before", "since", "until"]);
  const bounds = await createdBounds(engine, wanted);
  const used = new Map<string, number>();
  for (const { image } of engine.containers.list()) used.set(image, (used.get(image) ?? 0) + 1);
  const items = [];
  for (const record of engine.store.images.list()) {
    if (!matches(record.names.length === 0, [...repoTags(record), ...repoDigests(record)], wanted)) continue;
    try {
      const image = await engine.store.images.open(record);
      const labels = image.config.config?.Labels ?? {};
      if (labelsMatch(labels, wanted.get("label") ?? []) && createdWithin(image.config.created, bounds))
        items.push(imageSummary(image, used.get(record.id) ?? 0));
    } catch (error) {
      // An image only for other platforms is listed without what its config would say.
      if (!isKind(error, "not-found")) throw error;
      items.push({
        Id: record.id,
        ParentId: "",
        RepoTags: repoTags(record),
        RepoDigests: repoDigests(record),
        Created: 0,
        Size: record.target.size,
        SharedSize: -1,
        Labels: null,
        Containers: 0,
      });
    }
  }
  return { status: 200, json: items };
}

interface Bounds {
  readonly after: number;
  readonly before: number;
}

function createdAt(created: string | undefined): number {
  return Date.parse(created ?? "1970-01-01");
}

function createdWithin(created: string | undefined, { after, before }: Bounds): boolean {
  return createdAt(created) > after && createdAt(created) < before;
}

/** The filters before and since name images, until names a moment. Errors: "not-found", "invalid". */
async function createdBounds(engine: Engine, wanted: ReadonlyMap<string, readonly string[]>): Promise<Bounds> {
  const ofImages = async (names: readonly string[]) => {
    const opened = names.map((name) => engine.store.images.open(findImage(engine, name)));
    return (await Promise.all(opened)).map((image) => createdAt(image.config.created));
  };
  const until = (wanted.get("until") ?? []).map((text) => moment(text, "filter by until"));
  return {
    after: Math.max(...(await ofImages(wanted.get("since") ?? []))),
    before: Math.min(...(await ofImages(wanted.get("before") ?? [])), ...until),
  };
}

function labelsMatch(labels: Readonly<Record<string, string>>, wanted: readonly string[]): boolean {
  return wanted.every((text) => hasLabel(labels, text));
}

function matches(dangling: boolean, names: readonly string[], wanted: ReadonlyMap<string, readonly string[]>): boolean {
  for (const [name, values] of wanted) {
    if (name === "dangling" && values.includes("true") !== dangling) return false;
    if (name === "reference" && !values.some((pattern) => names.some((text) => referenceMatches(text, pattern))))
      return false;
  }
  return true;
}

/** "busybox" matches every tag of busybox; patterns as in path.Match. */
function referenceMatches(name: string, pattern: string): boolean {
  const glob = new Bun.Glob(pattern);
  const bare = name.replace(/(:[^/:]+|@.+)$/, "");
  return glob.match(name) || glob.match(bare);
}

function pull(engine: Engine, call: Call): Promise<Answer> {
  engine.requireSpace("pull the image");
  const from = call.query.get("fromImage") ?? "";
  const tagOrDigest = call.query.get("tag") ?? "";
  const separator = tagOrDigest.includes(":") ? "@" : ":";
  const reference = tagOrDigest === "" ? from : `${from}${separator}${tagOrDigest}`;
  const named = withDefaultTag(parseReference(reference));
  const auth = authOf(call);
  const platform = platformOf(call);
  return jsonLines(async (send) => {
    const { record, updated } = await engine.images.pull(canonicalReference(named), {
      ...auth,
      ...(platform === undefined ? {} : { platform }),
      signal: call.signal,
      onProgress: (progress) => send(progressLine(progress)),
    });
    const shown = familiarReference(named);
    send({ status: `Digest: ${record.id}` });
    send({ status: `Status: ${updated ? "Downloaded newer image" : "Image is up to date"} for ${shown}` });
  });
}

function push(engine: Engine, call: Call): Promise<Answer> {
  const wanted = call.query.get("tag");
  const reference = withDefaultTag(
    parseReference(wanted === null || wanted === "" ? call.params.name! : `${call.params.name}:${wanted}`),
  );
  const auth = authOf(call);
  return jsonLines(async (send) => {
    send({ status: `The push refers to repository [${reference.domain}/${reference.path}]` });
    const descriptor = await engine.images.push(canonicalReference(reference), {
      ...auth,
      signal: call.signal,
      onProgress: (progress) => send(progressLine(progress)),
    });
    send({ status: `${reference.tag}: digest: ${descriptor.digest} size: ${descriptor.size}` });
    send({ aux: { Tag: reference.tag, Digest: descriptor.digest, Size: descriptor.size } });
  });
}

function bodyStream(call: Call): ReadableStream<Uint8Array> {
  return Readable.toWeb(call.body) as unknown as ReadableStream<Uint8Array>;
}

function load(engine: Engine, call: Call): Promise<Answer> {
  engine.requireSpace("load images");
  const quiet = flag(call.query, "quiet");
  const platform = platformOf(call);
  return jsonLines(async (send) => {
    const images = await engine.archive.load(bodyStream(call), {
      signal: call.signal,
      ...(platform === undefined ? {} : { platform }),
      onProgress: ({ bytes, layer }) => {
        if (quiet || layer === undefined) return;
        const id = layer.diffId.slice(7, 19);
        send(progressLine({ status: "Loading layer", id, current: bytes, total: layer.size }));
      },
    });
    for (const image of images) {
      engine.events.publish({
        type: "image",
        action: "load",
        id: image.target.digest,
        attributes: { name: image.names[0] ?? "" },
      });
      for (const name of image.names) {
        const shown = familiarReference(parseReference(name));
        const old = image.replaced?.get(name);
        if (old !== undefined)
          send({ stream: `The image ${shown} already exists, renaming the old one with ID ${old} to empty string\n` });
        send({ stream: `Loaded image: ${shown}\n` });
      }
      if (image.names.length === 0) send({ stream: `Loaded image ID: ${image.target.digest}\n` });
    }
  });
}

function importImage(engine: Engine, call: Call): Promise<Answer> {
  engine.requireSpace("import the root file system");
  if (call.query.get("fromSrc") !== "-") {
    throw new GantryError("unsupported", {
      doing: "import",
      on: call.query.get("fromSrc") ?? "",
      because: "the engine reads imports from the request only",
      next: "Fetch the file and give it on standard input.",
    });
  }
  const repository = call.query.get("repo") ?? "";
  const tagName = call.query.get("tag") ?? "";
  const name = repository === "" ? undefined : tagName === "" ? repository : `${repository}:${tagName}`;
  const platform = platformOf(call);
  const message = call.query.get("message");
  // Gantry's own: without it the time of import would be part of the image's digest.
  const created = call.query.get("gantry-created");
  return jsonLines(async (send) => {
    const image = await engine.archive.importRootfs(bodyStream(call), {
      signal: call.signal,
      changes: call.query
        .getAll("changes")
        .flatMap((text) => text.split("\n"))
        .filter((line) => line.trim() !== ""),
      ...(name === undefined ? {} : { name }),
      ...(message === null ? {} : { message }),
      ...(created === null ? {} : { created }),
      ...(platform === undefined ? {} : { platform }),
    });
    engine.events.publish({
      type: "image",
      action: "import",
      id: image.target.digest,
      attributes: { name: name ?? "" },
    });
    send({ status: image.target.digest });
  });
}

async function save(engine: Engine, names: readonly string[], call: Call): Promise<Answer> {
  const platform = platformOf(call);
  const stream = await engine.archive.save(names, {
    signal: call.signal,
    ...(platform === undefined ? {} : { platform }),
  });
  return {
    status: 200,
    headers: { "Content-Type": "application/x-tar" },
    stream: async (out) => {
      for await (const chunk of stream) await out.write(chunk);
    },
  };
}

function tag(engine: Engine, call: Call): Answer {
  const record = findImage(engine, call.params.name!);
  const repository = call.query.get("repo") ?? "";
  const name = call.query.get("tag") ?? "";
  const reference = withDefaultTag(parseReference(name === "" ? repository : `${repository}:${name}`));
  engine.store.images.tag(record.id, canonicalReference(reference));
  engine.events.publish({
    type: "image",
    action: "tag",
    id: record.id,
    attributes: { name: familiarReference(reference) },
  });
  return { status: 201 };
}

async function remove(engine: Engine, call: Call): Promise<Answer> {
  findImage(engine, call.params.name!);
  const items = await engine.images.remove(call.params.name!, flag(call.query, "force"));
  return { status: 200, json: items.map(deleteItem) };
}

function deleteItem(item: { untagged?: string; deleted?: string }): object {
  return item.untagged === undefined ? { Deleted: item.deleted } : { Untagged: item.untagged };
}

/** Ids of the images that `prune` must leave because its filters do not name them. */
async function keptByFilters(
  engine: Engine,
  labels: { readonly with: readonly string[]; readonly without: readonly string[] },
  before: number,
): Promise<Set<string>> {
  const kept = new Set<string>();
  if (labels.with.length + labels.without.length === 0 && before === Number.POSITIVE_INFINITY) return kept;
  for (const record of engine.store.images.list()) {
    try {
      const { config } = await engine.store.images.open(record);
      const own = config.config?.Labels ?? {};
      const named = labelsMatch(own, labels.with) && createdAt(config.created) < before;
      if (!named || labels.without.some((text) => hasLabel(own, text))) kept.add(record.id);
    } catch (error) {
      // Only for other platforms: what its config would say is not known.
      if (!isKind(error, "not-found")) throw error;
      kept.add(record.id);
    }
  }
  return kept;
}

async function prune(engine: Engine, call: Call): Promise<Answer> {
  const wanted = filters(call.query);
  // An unknown one taken in silence would remove what it was meant to keep.
  onlyFilters("images to prune", wanted, ["dangling", "label", "label!", "until"]);
  const all = wanted.get("dangling")?.some((value) => value === "false" || value === "0") === true;
  const before = Math.min(...(wanted.get("until") ?? []).map((text) => moment(text, "filter by until")));
  const labels = { with: wanted.get("label") ?? [], without: wanted.get("label!") ?? [] };
  const keep = await keptByFilters(engine, labels, before);
  const { removed, bytes } = await engine.images.prune(all, (record) => !keep.has(record.id));
  return { status: 200, json: { ImagesDeleted: removed.map(deleteItem), SpaceReclaimed: bytes } };
}
