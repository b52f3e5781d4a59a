import type { IncomingMessage, Server } from "node:http";
import type { Engine } from "#engine/contract.ts";
import { apiVersion } from "#formats/docker/contract.ts";
import type { Access } from "./access.ts";
import { type Addresses, openAddresses } from "./addresses.ts";
import type { Route } from "./contract.ts";
import { createListener } from "./listener.ts";
import { refusedRoutes } from "./refused-paths.ts";
import { addressRoutes } from "./routes/addresses.ts";
import { archiveRoutes } from "./routes/archive.ts";
import { buildRoutes } from "./routes/build.ts";
import { buildkitRoutes } from "./routes/buildkit.ts";
import { commitRoutes } from "./routes/commit.ts";
import { containerExtraRoutes } from "./routes/container-extras.ts";
import { containerRoutes } from "./routes/containers.ts";
import { diskUsageRoutes } from "./routes/disk-usage.ts";
import { distributionRoutes } from "./routes/distribution.ts";
import { eventRoutes } from "./routes/events.ts";
import { execRoutes } from "./routes/execs.ts";
import { gantryRoutes } from "./routes/gantry.ts";
import { imageRoutes } from "./routes/images.ts";
import { liveMountRoutes } from "./routes/live-mounts.ts";
import { networkRoutes } from "./routes/networks.ts";
import { secretRoutes } from "./routes/secrets.ts";
import { streamRoutes } from "./routes/streams.ts";
import { systemRoutes } from "./routes/system.ts";
import { volumeWorkRoutes } from "./routes/volume-work.ts";
import { volumeRoutes } from "./routes/volumes.ts";

export interface DockerApi extends AsyncDisposable {
  /** For the engine's own socket; not yet listening. */
  readonly server: Server;
  /** Serves the further addresses of an earlier engine again. */
  resume(): Promise<void>;
}

/** The Docker Engine API and Gantry's own few pages over an engine. */
export function createDockerApi(engine: Engine, onError: (error: unknown, what: string) => void): DockerApi {
  const addresses: Addresses = openAddresses(engine.settings, (access, guard) => make(access, guard));
  const routes = [...apiRoutes(engine), ...addressRoutes(addresses), ...refusedRoutes()];
  const make = (access: Access, guard?: (request: IncomingMessage) => void) =>
    createListener({
      onError,
      access,
      ...(guard === undefined ? {} : { guard }),
      headers: {
        "Api-Version": apiVersion,
        "Docker-Experimental": "false",
        Ostype: "linux",
        Server: `Gantry/${engine.facts.version} (linux)`,
      },
      routes,
    });
  return {
    server: make({ kind: "full" }),
    resume: () => addresses.resume(),
    [Symbol.asyncDispose]: () => addresses[Symbol.asyncDispose](),
  };
}

/** What is served over an engine, without the engine's own addresses. */
export function apiRoutes(engine: Engine): Route[] {
  return [
    ...systemRoutes(engine),
    ...eventRoutes(engine),
    ...diskUsageRoutes(engine),
    ...commitRoutes(engine),
    { method: "GET", path: "/plugins", handle: () => ({ status: 200, json: [] }) },
    ...containerRoutes(engine),
    ...streamRoutes(engine),
    ...execRoutes(engine),
    ...archiveRoutes(engine),
    ...imageRoutes(engine),
    ...distributionRoutes(engine),
    ...buildRoutes(engine),
    ...buildkitRoutes(engine),
    ...volumeRoutes(engine),
    ...volumeWorkRoutes(engine),
    ...networkRoutes(engine),
    ...containerExtraRoutes(engine),
    ...liveMountRoutes(engine),
    ...secretRoutes(engine),
    ...gantryRoutes(engine),
  ];
}
