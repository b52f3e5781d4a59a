import { closeSync, mkdirSync, openSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { describe, GantryError } from "#base/core/errors.ts";
import { defaultPlaces, type Places } from "#base/core/places.ts";
import { selfCommand } from "#base/core/self.ts";
import { openHolder } from "#base/system/holder/mount-namespace.ts";
import { moveToOwnCgroup } from "./own-cgroup.ts";
import { superviseWhereWanted } from "./supervisor.ts";

/** What the engine keeps of its caller's environment; everything else would make two starts differ. */
const kept = [
  "PATH",
  "HOME",
  "LANG",
  "TZ",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
];

/**
 * Starts the engine, detached, unless one answers; ends when it answers. A lock makes two launchers one engine.
 * Prints nothing on success; on failure the reason goes to standard error and the exit code is 1.
 */
export async function launch(args: readonly string[]): Promise<number> {
  const places = defaultPlaces(process.env, process.getuid?.() ?? 0);
  try {
    if (process.getuid?.() !== 0) {
      throw new GantryError("unsupported", {
        doing: "start the engine",
        because: "it needs root for now",
        next: "Run it as root, or with sudo.",
      });
    }
    mkdirSync(places.runRoot, { recursive: true, mode: 0o711 });
    if (!args.includes("--locked")) return await underLock(`${places.runRoot}/launch.lock`);
    rmSync(places.stopped, { force: true });
    if (!(await answers(places.socket))) await spawnEngine(places);
    const supervisor = superviseWhereWanted(places);
    if (supervisor !== undefined) moveToOwnCgroup(supervisor);
    return 0;
  } catch (error) {
    process.stderr.write(`${describe(error)}\n`);
    return 1;
  }
}

/** flock(1) waits without polling, and -o keeps the lock out of the engine's descriptors. */
async function underLock(lock: string): Promise<number> {
  const child = Bun.spawn(["flock", "-o", lock, ...selfCommand(), "engine", "launch", "--locked"], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  return await child.exited;
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.once("connect", () => {
      connection.destroy();
      resolve(true);
    });
    connection.once("error", () => resolve(false));
  });
}

async function spawnEngine(places: Places): Promise<void> {
  mkdirSync(places.dataRoot, { recursive: true, mode: 0o700 });
  const holder = openHolder({ run: places.runRoot });
  holder.make();
  const log = openSync(`${places.dataRoot}/engine.log`, "a", 0o600);
  try {
    const child = Bun.spawn([...holder.prefix, ...selfCommand(), "engine", "serve"], {
      cwd: "/",
      env: engineEnvironment(places),
      stdio: ["ignore", log, log, "pipe"],
      detached: true,
    });
    moveToOwnCgroup(child.pid);
    const words = await readAll(child.stdio[3] as unknown as number);
    if (words.trim() !== "ready") {
      throw new GantryError("unavailable", {
        doing: "start the engine",
        because:
          words.trim() === "" ? `it ended before it was ready; its log is ${places.dataRoot}/engine.log` : words.trim(),
      });
    }
    child.unref();
  } finally {
    closeSync(log);
  }
}

async function readAll(fd: number): Promise<string> {
  return await new Response(Bun.file(fd).stream()).text();
}

function engineEnvironment(places: Places): Record<string, string> {
  const env: Record<string, string> = { GANTRY_DATA_ROOT: places.dataRoot, GANTRY_RUN_ROOT: places.runRoot };
  for (const name of [...kept, ...Object.keys(process.env).filter((name) => name.startsWith("GANTRY_"))]) {
    const value = process.env[name];
    if (value !== undefined && env[name] === undefined) env[name] = value;
  }
  env.PATH ??= "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  return env;
}
