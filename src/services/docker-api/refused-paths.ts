import { type ErrorKind, GantryError } from "#base/core/errors.ts";
import type { Route } from "./contract.ts";

/** A path of the description that is answered with why not. docs/docker-api.md is made from these. */
export interface RefusedPath {
  readonly method: Route["method"];
  readonly path: string;
  readonly kind: ErrorKind;
  /** Docker's own words where a client reads them. ":name" stands for what was asked for. */
  readonly because: string;
  readonly next?: string;
}

type Refusal = Omit<RefusedPath, "method" | "path">;

const oneMachine = "Gantry keeps to one machine; many machines are Kubernetes' business.";
const noManager: Refusal = { kind: "unavailable", because: "This node is not a swarm manager", next: oneMachine };
const noMember: Refusal = { kind: "unavailable", because: "This node is not part of a swarm", next: oneMachine };
const noSwarm: Refusal = { kind: "unsupported", because: "this engine makes and joins no swarm", next: oneMachine };
const noPlugins: Refusal = {
  kind: "unsupported",
  because: "this engine runs no plugins",
  next: "Volumes of the driver local mount what mount(8) can; networks are bridge, macvlan and ipvlan.",
};
const noSuchPlugin: Refusal = { kind: "not-found", because: 'plugin ":name" not found' };

function all(refusal: Refusal, list: string): RefusedPath[] {
  return list.split(", ").map((words) => {
    const [method, path] = words.split(" ") as [RefusedPath["method"], string];
    return { method, path, ...refusal };
  });
}

export const refusedPaths: readonly RefusedPath[] = [
  ...all(noManager, "GET /swarm, GET /swarm/unlockkey, POST /swarm/update, POST /swarm/unlock, PUT /volumes/:name"),
  ...all(noMember, "POST /swarm/leave"),
  ...all(noSwarm, "POST /swarm/init, POST /swarm/join"),
  ...all(noManager, "GET /nodes, GET /nodes/:id, DELETE /nodes/:id, POST /nodes/:id/update"),
  ...["services", "secrets", "configs"].flatMap((noun) =>
    all(
      noManager,
      `GET /${noun}, POST /${noun}/create, GET /${noun}/:id, DELETE /${noun}/:id, POST /${noun}/:id/update`,
    ),
  ),
  ...all(noManager, "GET /services/:id/logs, GET /tasks, GET /tasks/:id, GET /tasks/:id/logs"),
  ...all(noPlugins, "GET /plugins/privileges, POST /plugins/pull, POST /plugins/create"),
  ...all(noSuchPlugin, "GET /plugins/:name{.+}/json, DELETE /plugins/:name{.+}"),
  ...["enable", "disable", "upgrade", "push", "set"].flatMap((verb) =>
    all(noSuchPlugin, `POST /plugins/:name{.+}/${verb}`),
  ),
  {
    method: "POST",
    path: "/session",
    kind: "unsupported",
    because: "BuildKit's sessions are not served",
    next: "Build with DOCKER_BUILDKIT=0, or with gantry build.",
  },
  {
    method: "POST",
    path: "/containers/:id/update",
    kind: "unsupported",
    because: "limits of a container that is there are not changed",
    next: "Make it anew with other limits.",
  },
  {
    method: "GET",
    path: "/images/search",
    kind: "unsupported",
    because: "a search is no part of the registry protocol; it is a service of Docker Hub alone",
    next: "Search at hub.docker.com and name the image.",
  },
];

export function refusedRoutes(): Route[] {
  return refusedPaths.map(({ method, path, kind, because, next }) => ({
    method,
    path,
    handle: (call) => {
      const name = call.params.name ?? "";
      throw new GantryError(kind, {
        doing: "serve",
        on: `${call.method} ${call.path}`,
        because: because.replace(":name", name),
        ...(next === undefined ? {} : { next }),
      });
    },
  }));
}
