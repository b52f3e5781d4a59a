import type { Clock } from "#base/core/clock.ts";
import type { Random } from "#base/core/random.ts";
import type { Database } from "#base/system/database/contract.ts";
import type { Reference } from "#formats/oci/contract.ts";
import { isDigest } from "#formats/oci/digest.ts";
import { parseReference } from "#formats/oci/reference.ts";
import type { Store } from "#images/store/contract.ts";
import { failureAnswer, refuse } from "./answers.ts";
import { Blobs } from "./blobs.ts";
import { localBytes } from "./bytes.ts";
import { RowCatalogue } from "./catalogue.ts";
import type { Access, Catalogue, Registry, RegistryBytes } from "./contract.ts";
import { Manifests } from "./manifests.ts";
import { OpenUploads } from "./open-uploads.ts";
import { askedPage, onePage } from "./pages.ts";
import { listReferrers } from "./referrers.ts";
import { Uploads } from "./uploads.ts";

export interface RegistryOptions {
  readonly store: Store;
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly access?: Access;
  /** Default: in this thread. */
  readonly bytes?: RegistryBytes;
  /** Whether DELETE is served; default true. */
  readonly deletes?: boolean;
  readonly onError: (error: unknown, what: string) => void;
}

const openToAll: Access = { check: () => Promise.resolve(undefined) };

export function createRegistry(options: RegistryOptions): Registry {
  const { store, access = openToAll, deletes = true, random, onError } = options;
  const bytes = options.bytes ?? localBytes(store.blobs);
  const now = () => options.clock.now();
  const catalogue = new RowCatalogue(options.database, store.leases, now);
  const open = new OpenUploads({
    bytes,
    catalogue,
    random,
    now,
    onError: (error) => onError(error, "drop an upload"),
  });
  const uploads = new Uploads(open, store, catalogue);
  const manifests = new Manifests(store, catalogue, deletes);
  const blobs = new Blobs(store.blobs, catalogue, bytes.send, deletes);

  async function answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const { method } = request;
    if (url.pathname === "/v2/" || url.pathname === "/v2")
      return (await access.check(request, undefined, "pull")) ?? Response.json({});
    if (url.pathname === "/v2/_catalog") return (await access.check(request, undefined, "pull")) ?? catalog(url);
    const match = /^\/v2\/(.+)\/(blobs\/uploads|blobs|manifests|tags|referrers)\/([^/]*)$/.exec(url.pathname);
    const last = match === null ? undefined : unescaped(match[3]!);
    if (match === null || last === undefined) return refuse(404, "NAME_UNKNOWN", "there is no such page");
    const repository = match[1]!;
    // "POST …/blobs/uploads", without the last slash, is meant well.
    const kind = match[2] === "blobs" && last === "uploads" ? "blobs/uploads" : match[2]!;
    if (!isRepository(repository))
      return refuse(400, "NAME_INVALID", `"${repository.slice(0, 300)}" is no repository name`);
    const refused = await access.check(request, repository, actionOf(method, kind));
    if (refused !== undefined) return refused;
    const readable = async (from: string) =>
      isRepository(from) && (await access.check(request, from, "pull")) === undefined;
    switch (`${method} ${kind}`) {
      case "GET manifests":
      case "HEAD manifests":
        return manifests.get(repository, last, method === "HEAD");
      case "PUT manifests":
        return manifests.put(repository, last, request);
      case "DELETE manifests":
        return manifests.delete(repository, last);
      case "GET blobs":
      case "HEAD blobs":
        return blobs.get(repository, last, request);
      case "DELETE blobs":
        return blobs.delete(repository, last);
      case "POST blobs/uploads":
        return uploads.begin(repository, url, request, readable);
      case "PATCH blobs/uploads":
        return uploads.append(repository, last, request);
      case "PUT blobs/uploads":
        return uploads.finish(repository, last, url, request);
      case "GET blobs/uploads":
        return uploads.status(repository, last);
      case "DELETE blobs/uploads":
        return uploads.cancel(repository, last);
      case "GET tags":
        return last === "list" ? tagList(repository, url) : refuse(404, "NAME_UNKNOWN", "there is no such page");
      case "GET referrers":
        return isDigest(last)
          ? listReferrers(catalogue, repository, last, url)
          : refuse(400, "DIGEST_INVALID", `"${last.slice(0, 140)}" is no digest`);
      default:
        return refuse(405, "UNSUPPORTED", `${method} is not served here`);
    }
  }

  function catalog(url: URL): Response {
    const list: Catalogue["repositories"] = (limit, last) => catalogue.repositories(limit, last);
    const { items, headers } = onePage(askedPage(url), "/v2/_catalog", list);
    return Response.json({ repositories: items }, { headers });
  }

  function tagList(repository: string, url: URL): Response {
    if (!catalogue.hasRepository(repository))
      return refuse(404, "NAME_UNKNOWN", `there is no repository ${repository}`);
    const { items, headers } = onePage(askedPage(url), `/v2/${repository}/tags/list`, (limit, last) =>
      catalogue.tags(repository, limit, last),
    );
    return Response.json({ name: repository, tags: items }, { headers });
  }

  return {
    async fetch(request) {
      const response = await answer(request).catch((error: unknown) => {
        const failure = failureAnswer(error);
        if (failure.status >= 500) onError(error, `${request.method} ${request.url}`);
        return failure;
      });
      response.headers.set("Docker-Distribution-Api-Version", "registry/2.0");
      response.headers.set("X-Content-Type-Options", "nosniff");
      return response;
    },
    [Symbol.asyncDispose]: () => open[Symbol.asyncDispose](),
  };
}

/** Ending one's own upload is part of pushing. */
function actionOf(method: string, kind: string): "pull" | "push" | "delete" {
  if (kind === "blobs/uploads") return "push";
  if (method === "GET" || method === "HEAD") return "pull";
  return method === "DELETE" ? "delete" : "push";
}

/** A tag or digest out of the path: "sha256%3A…" is as good as "sha256:…". */
function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** The path of a reference, and nothing else: no escapes, no "..", lower case. */
function isRepository(name: string): boolean {
  let parsed: Reference;
  try {
    // The shortest domain, as the longest name is counted with it.
    parsed = parseReference(`a.b/${name}`);
  } catch {
    return false;
  }
  return parsed.path === name && parsed.domain === "a.b";
}
