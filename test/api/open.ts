import Docker from "dockerode";
import type { TestEngine } from "../support/engine.ts";
import { run } from "../support/engine.ts";
import { ask } from "./ask.ts";
import type { Api } from "./contract.ts";

/** An engine that answers at a socket. */
export function openApi(engine: Api["engine"], socket: string, folder: string): Api {
  const env = {
    PATH: process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: folder,
    DOCKER_HOST: `unix://${socket}`,
    DOCKER_CONFIG: `${folder}/docker`,
  };
  return {
    engine,
    socket,
    folder,
    docker: new Docker({ socketPath: socket }),
    ask: (method, path, body, headers) => ask(socket, method, path, body, headers),
    cli: (words, input) => run(["docker", ...words], env, input),
  };
}

export function gantryApi({ socket, folder }: TestEngine): Api {
  return openApi("gantry", socket, folder);
}
