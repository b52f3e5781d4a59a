import { TrieRouter } from "hono/router/trie-router";
import { GantryError } from "#base/core/errors.ts";
import { apiVersion, minApiVersion } from "#formats/docker/contract.ts";
import type { Route } from "./contract.ts";

export interface Match {
  readonly route: Route;
  readonly path: string;
  readonly version: string;
  readonly params: Readonly<Record<string, string>>;
}

const prefix = /^\/v(\d+)\.(\d+)(?=\/)/;

function versionNumber(version: string): number {
  const [major, minor] = version.split(".").map(Number);
  return major! * 1000 + minor!;
}

/** Finds the route of a request; the path may carry a version prefix ("/v1.43/containers/json"). */
export class Router {
  readonly #router = new TrieRouter<Route>();

  constructor(routes: readonly Route[]) {
    for (const route of routes) this.#router.add(route.method, route.path, route);
  }

  /** Errors: "not-found" for an unknown path, "invalid" for a version out of the range served. */
  match(method: string, rawPath: string): Match {
    const versioned = prefix.exec(rawPath);
    const version = versioned === null ? apiVersion : `${versioned[1]}.${versioned[2]}`;
    const path = versioned === null ? rawPath : rawPath.slice(versioned[0].length);
    if (versionNumber(version) < versionNumber(minApiVersion)) {
      throw new GantryError("invalid", {
        doing: "serve the request",
        on: rawPath,
        because: `client version ${version} is too old; the oldest served is ${minApiVersion}`,
        next: "Use a newer client.",
      });
    }
    if (versionNumber(version) > versionNumber(apiVersion)) {
      throw new GantryError("invalid", {
        doing: "serve the request",
        on: rawPath,
        because: `client version ${version} is too new. Maximum supported API version is ${apiVersion}`,
        next: `Set DOCKER_API_VERSION=${apiVersion}, or let the client negotiate.`,
      });
    }
    const [handlers, stash] = this.#router.match(method, path) as unknown as [
      [Route, Record<string, number | string>][],
      string[] | undefined,
    ];
    const first = handlers[0];
    if (first === undefined) {
      throw new GantryError("not-found", {
        doing: "serve the request",
        on: `${method} ${path}`,
        because: "the engine has no such page",
      });
    }
    const params: Record<string, string> = {};
    for (const [name, value] of Object.entries(first[1])) {
      const raw = typeof value === "number" ? stash?.[value] : value;
      if (raw !== undefined) params[name] = decode(raw);
    }
    return { route: first[0], path, version, params };
  }
}

function decode(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch (cause) {
    throw new GantryError("invalid", {
      doing: "read the request's path",
      on: raw,
      because: "it is not percent-encoded UTF-8",
      cause,
    });
  }
}
