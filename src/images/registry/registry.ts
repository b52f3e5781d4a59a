import type { Clock } from "#base/core/clock.ts";
import type { Random } from "#base/core/random.ts";
import type { Database } from "#base/system/database/contract.ts";
import type { Digest, Reference } from "#formats/oci/contract.ts";
import { isDigest } from "#formats/oci/digest.ts";
import { parseReference } from "#formats/oci/reference.ts";
import type { Store } from "#images/store/contract.ts";
import { failureAnswer, refuse } from "./answers.ts";
import { openCatalogue } from "./catalogue.ts";
import type { Access, Registry } from "./contract.ts";
import { Manifests } from "./manifests.ts";
import { Uploads } from "./uploads.ts";

export interface RegistryOptions {
  readonly store: Store;
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly access?: Access;
  /** Whether DELETE is served; default true. */
  readonly deletes?: boolean;
  readonly onError: (error: unknown, what: string) => void;
}

const openToAll: Access = { check: () => Promise.resolve(undefined) };
const pageLimit = 1000;

export function createRegistry(options: RegistryOptions): Registry {
  const { store, access = openToAll, deletes = true } = options;
  const blobs = store.blobs;
  const catalogue = openCatalogue(options.database, store.leases);
  const uploads = new Uploads(blobs, catalogue, options.random, () => options.clock.now());
  const manifests = new Manifests(blobs, catalogue, deletes);

  async function answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const { method } = request;
    if (url.pathname === "/v2/" || url.pathname === "/v2")
      return (await access.check(request, undefined, "pull")) ?? Response.json({});
    if (url.pathname === "/v2/_catalog") return (await access.check(request, undefined, "pull")) ?? catalog(url);
    const match = /^\/v2\/(.+)\/(blobs\/uploads|blobs|manifests|tags|referrers)\/([^/]*)$/.exec(url.pathname);
    if (match === null) return refuse(404, "NAME_UNKNOWN", "there is no such page");
    const [, repository, kind, last] = match as unknown as [string, string, string, string];
    if (!isRepository(repository))
      return refuse(400, "NAME_INVALID", `"${repository.slice(0, 300)}" is no repository name`);
    const action = method === "GET" || method === "HEAD" ? "pull" : method === "DELETE" ? "delete" : "push";
    const refused = await access.check(request, repository, action);
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
        return blob(repository, last, request);
      case "DELETE blobs":
        return deleteBlob(repository, last);
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
          ? manifests.referrers(repository, last, url.searchParams.get("artifactType"))
          : refuse(400, "DIGEST_INVALID", "no digest");
      default:
        return refuse(405, "UNSUPPORTED", `${method} is not served here`);
    }
  }

  function catalog(url: URL): Response {
    const { limit, last } = page(url);
    const repositories = catalogue.repositories(limit, last);
    return Response.json({ repositories }, { headers: nextPage(repositories, limit, "/v2/_catalog") });
  }

  function tagList(repository: string, url: URL): Response {
    if (!catalogue.hasRepository(repository))
      return refuse(404, "NAME_UNKNOWN", `there is no repository ${repository}`);
    const { limit, last } = page(url);
    const tags = limit === 0 ? [] : catalogue.tags(repository, limit, last);
    return Response.json({ name: repository, tags }, { headers: nextPage(tags, limit, `/v2/${repository}/tags/list`) });
  }

  function blob(repository: string, text: string, request: Request): Response {
    if (!isDigest(text)) return refuse(400, "DIGEST_INVALID", `"${text.slice(0, 140)}" is no digest`);
    // Present in the store is not enough: it must have been pushed to this repository (CVE-2026-35172).
    const info = catalogue.hasBlob(repository, text) ? blobs.stat(text) : undefined;
    if (info === undefined) return refuse(404, "BLOB_UNKNOWN", `there is no blob ${text} in ${repository}`);
    const headers: Record<string, string> = {
      "Content-Type": "application/octet-stream",
      "Docker-Content-Digest": text,
      "Accept-Ranges": "bytes",
      ETag: `"${text}"`,
    };
    if (request.method === "HEAD")
      return new Response(null, { headers: { ...headers, "Content-Length": `${info.size}` } });
    const range = byteRange(request.headers.get("range"), info.size);
    if (range === "unsatisfiable")
      return new Response(null, { status: 416, headers: { "Content-Range": `bytes */${info.size}` } });
    const file = Bun.file(blobs.path(text));
    if (range === undefined) return new Response(file, { headers });
    headers["Content-Range"] = `bytes ${range.start}-${range.end - 1}/${info.size}`;
    return new Response(file.slice(range.start, range.end), { status: 206, headers });
  }

  function deleteBlob(repository: string, text: string): Response {
    if (!deletes) return refuse(405, "UNSUPPORTED", "this registry does not delete");
    if (!isDigest(text)) return refuse(400, "DIGEST_INVALID", `"${text.slice(0, 140)}" is no digest`);
    const gone = catalogue.unlinkBlob(repository, text as Digest);
    return gone
      ? new Response(null, { status: 202 })
      : refuse(404, "BLOB_UNKNOWN", `there is no blob ${text} in ${repository}`);
  }

  return {
    async fetch(request) {
      try {
        const response = await answer(request);
        response.headers.set("Docker-Distribution-Api-Version", "registry/2.0");
        response.headers.set("X-Content-Type-Options", "nosniff");
        return response;
      } catch (error) {
        const response = failureAnswer(error);
        if (response.status >= 500) options.onError(error, `${request.method} ${request.url}`);
        return response;
      }
    },
  };
}

/** The path of a reference, and nothing else: no escapes, no "..", lower case. */
function isRepository(name: string): boolean {
  let parsed: Reference;
  try {
    parsed = parseReference(`registry.invalid/${name}`);
  } catch {
    return false;
  }
  return parsed.path === name;
}

function page(url: URL): { limit: number; last: string | undefined } {
  const asked = url.searchParams.get("n");
  const number = asked === null ? pageLimit : Number(asked);
  const limit = Number.isInteger(number) && number >= 0 ? Math.min(number, pageLimit) : pageLimit;
  return { limit, last: url.searchParams.get("last") ?? undefined };
}

function nextPage(items: readonly string[], limit: number, path: string): Record<string, string> {
  if (items.length < limit || limit === 0) return {};
  return { Link: `<${path}?n=${limit}&last=${encodeURIComponent(items.at(-1)!)}>; rel="next"` };
}

/** One range of bytes (RFC 9110, 14.1.2); several, or a form we do not know, are answered with the whole. */
function byteRange(header: string | null, size: number): { start: number; end: number } | "unsatisfiable" | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (match === null || (match[1] === "" && match[2] === "")) return undefined;
  if (match[1] === "") {
    const length = Number(match[2]);
    return length === 0 ? "unsatisfiable" : { start: Math.max(0, size - length), end: size };
  }
  const start = Number(match[1]);
  const end = match[2] === "" ? size : Math.min(size, Number(match[2]) + 1);
  return start >= size || end <= start ? "unsatisfiable" : { start, end };
}
