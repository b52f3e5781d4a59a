import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Undo } from "../contract.ts";
import { end } from "../processes.ts";
import { programIn } from "./gantry.ts";

export interface RunningRegistry {
  readonly name: "gantry" | "docker-registry";
  readonly address: string;
}

/** Gantry's registry as a process of its own, on a data root of its own. */
export function startGantryRegistry(undo: Undo, scratch: string, port: number): Promise<RunningRegistry> {
  const address = `127.0.0.1:${port}`;
  const data = join(scratch, "gantry-registry");
  const env = { GANTRY_DATA_ROOT: join(data, "data"), GANTRY_RUN_ROOT: join(data, "run") };
  const words = [programIn(scratch), "registry", "serve", "--address", address, "--data", join(data, "data")];
  return serve(undo, "gantry", address, words, env);
}

/** Debian's docker-registry (distribution), on a folder. */
export function startDockerRegistry(undo: Undo, scratch: string, port: number): Promise<RunningRegistry> {
  const address = `127.0.0.1:${port}`;
  const folder = join(scratch, "docker-registry");
  mkdirSync(folder, { recursive: true });
  const settings = join(folder, "config.yml");
  writeFileSync(
    settings,
    `version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: ${join(folder, "data")}}
http: {addr: "${address}"}
`,
  );
  return serve(undo, "docker-registry", address, ["docker-registry", "serve", settings], {});
}

async function serve(
  undo: Undo,
  name: RunningRegistry["name"],
  address: string,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<RunningRegistry> {
  const child = Bun.spawn(["setsid", ...words], {
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  undo.add(`${name}'s registry`, () => end(child.pid));
  for (let tries = 0; tries < 500; tries++) {
    if (child.exitCode !== null) break;
    const answer = await fetch(`http://${address}/v2/`).catch(() => undefined);
    if (answer?.ok === true) return { name, address };
    await Bun.sleep(20);
  }
  throw new Error(`the registry of ${name} does not answer at ${address}`);
}

export function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = listener;
  listener.stop(true);
  return port;
}
