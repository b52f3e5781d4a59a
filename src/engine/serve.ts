import { chmodSync, closeSync, rmSync, writeSync } from "node:fs";
import type { Server } from "node:http";
import { describe } from "#base/core/errors.ts";
import { defaultPlaces } from "#base/core/places.ts";
import type { Engine } from "./contract.ts";
import { openEngine, type WorkerEntries } from "./open-engine.ts";

/** The pipe on which the launcher waits for one word. */
const readyPipe = 3;

export interface ServeOptions {
  readonly workers: WorkerEntries;
  /** Puts the API over the facade; given by the composition root, since services stand below the engine. */
  readonly listen: (engine: Engine, onError: (error: unknown, what: string) => void) => ServedApi;
}

/** The API as this file knows it. */
export interface ServedApi extends AsyncDisposable {
  readonly server: Server;
  resume(): Promise<void>;
}

/** Opens the engine and serves until a signal ends it. Containers go on. Gives the exit code. */
export async function serve({ workers, listen }: ServeOptions): Promise<number> {
  const places = defaultPlaces(process.env, process.getuid?.() ?? 0);
  const log = (text: string) => process.stderr.write(`${new Date().toISOString()} ${text}\n`);
  const onError = (error: unknown, what: string) => {
    log(`${what}: ${describe(error)}`);
    if (error instanceof Error && error.stack !== undefined) log(error.stack);
  };
  process.on("unhandledRejection", (error) => onError(error, "a promise nobody awaited"));
  process.on("uncaughtException", (error) => onError(error, "an error nobody caught"));
  process.umask(0o022);
  try {
    await using engine = await openEngine({ places, workers, onError });
    await using api = listen(engine, onError);
    const { server } = api;
    rmSync(places.socket, { force: true });
    await listening(server, places.socket);
    chmodSync(places.socket, 0o600);
    await api.resume();
    engine.events.publish({
      type: "daemon",
      action: "start",
      id: engine.facts.id,
      attributes: { version: engine.facts.version },
    });
    log(`engine ${engine.facts.version} listens at ${places.socket}`);
    say("ready");
    await stopSignal();
    log("engine stops; containers go on");
    server.closeAllConnections();
    server.close();
    rmSync(places.socket, { force: true });
    return 0;
  } catch (error) {
    onError(error, "engine start");
    say(describe(error));
    return 1;
  }
}

function listening(server: Server, socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    // Nobody else may connect in the moment before chmod.
    const before = process.umask(0o177);
    server.listen(socket, () => {
      process.umask(before);
      resolve();
    });
  });
}

/** One word or sentence to the launcher; started by hand there is none. */
function say(text: string): void {
  try {
    writeSync(readyPipe, text);
    closeSync(readyPipe);
  } catch (error) {
    if (!["EBADF", "EPIPE", "EINVAL"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
    // The caller's terminal may go; the engine is not its child.
    process.on("SIGHUP", () => undefined);
  });
}
