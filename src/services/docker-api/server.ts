import type { Server } from "node:http";
import type { Engine } from "#engine/contract.ts";
import { apiVersion } from "#formats/docker/contract.ts";
import type { Route } from "./contract.ts";
import { createListener } from "./listener.ts";
import { refusedRoutes } from "./refused-paths.ts";
import { archiveRoutes } from "./routes/archive.ts";
import { buildRoutes } from "./routes/build.ts";
import { commitRoutes } from "./routes/commit.ts";
import { containerExtraRoutes } from "./routes/container-extras.ts";
import { containerRoutes } from "./routes/containers.ts";
import { diskUsageRoutes } from "./routes/disk-usage.ts";
import { distributionRoutes } from "./routes/distribution.ts";
import { eventRoutes } from "./routes/events.ts";
import { execRoutes } from "./routes/execs.ts";
import { gantryRoutes } from "./routes/gantry.ts";
import { imageRoutes } from "./routes/images.ts";
import { networkRoutes } from "./routes/networks.ts";
import { secretRoutes } from "./routes/secrets.ts";
import { streamRoutes } from "./routes/streams.ts";
import { systemRoutes } from "./routes/system.ts";
import { volumeWorkRoutes } from "./routes/volume-work.ts";
import { volumeRoutes } from "./routes/volumes.ts";

/** The Docker Engine API and Gantry's own few pages over an engine; not yet listening. */
export function createDockerApi(engine: Engine, onError: (error: unknown, what: string) => void): Server {
  return createListener({
    onError,
    headers: {
      "Api-Version": apiVersion,
      "Docker-Experimental": "false",
      Ostype: "linux",
      Server: `Gantry/${engine.facts.version} (linux)`,
    },
    routes: apiRoutes(engine),
  });
}

/** What is served, then what is refused with its reason. docs/docker-api.md is made from both. */
export function apiRoutes(engine: Engine): Route[] {
  return [
    ...systemRoutes(engine),
    ...eventRoutes(engine),
    ...diskUsageRoutes(engine),
    ...commitRoutes(engine),
    ...distributionRoutes(engine),
    { method: "GET", path: "/plugins", handle: () => ({ status: 200, json: [] }) },
    ...containerRoutes(engine),
    ...streamRoutes(engine),
    ...execRoutes(engine),
    ...archiveRoutes(engine),
    ...imageRoutes(engine),
    ...buildRoutes(engine),
    ...volumeRoutes(engine),
    ...volumeWorkRoutes(engine),
    ...networkRoutes(engine),
    ...containerExtraRoutes(engine),
    ...secretRoutes(engine),
    ...gantryRoutes(engine),
    ...refusedRoutes(),
  ];
}
