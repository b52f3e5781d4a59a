import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GantryError, isKind } from "#base/core/errors.ts";
import { defaultPlaces } from "#base/core/places.ts";
import { createClient } from "#client/http-client.ts";
import type { ContainerSummary } from "#formats/docker/container.ts";
import type { InfoAnswer } from "#formats/docker/system.ts";
import type { Context, Verb } from "../contract.ts";
import { startEngine } from "../engine-process.ts";
import { installUnit, removeUnit, stopUnit } from "../systemd.ts";
import { declareListen } from "./engine-listen.ts";

export const verb: Verb = {
  declare(command, run) {
    command
      .command("start")
      .description("start it unless it runs")
      .action(() => run(start));
    command
      .command("stop")
      .description("stop it; containers go on, unless --all")
      .option("--all", "stop the containers too, and take down the network")
      .action((options: { all?: boolean }) => run((context) => stop(context, options.all === true)));
    command
      .command("status")
      .description("say whether it runs")
      .option("--json", "as JSON")
      .action((options: { json?: boolean }) => run((context) => status(context, options.json === true)));
    declareListen(command, run);
    command
      .command("install")
      .description("keep it running: by a systemd unit, or by a supervisor where there is no systemd")
      .action(() => run(async (context) => installUnit(context)));
    command
      .command("uninstall")
      .description("stop everything and remove the unit; --data removes images, containers and volumes too")
      .option("--data", "remove the data root")
      .action((options: { data?: boolean }) => run((context) => uninstall(context, options.data === true)));
  },
};

async function start(context: Context): Promise<undefined> {
  await startEngine();
  context.stdout.write(`The engine runs at ${context.host}\n`);
}

/** The running engine's facts; undefined when none answers. */
async function running(context: Context): Promise<InfoAnswer | undefined> {
  try {
    return await createClient(context.host).request<InfoAnswer>("GET", "/info");
  } catch (error) {
    if (isKind(error, "unavailable")) return undefined;
    throw error;
  }
}

async function status(context: Context, json: boolean): Promise<number> {
  const info = await running(context);
  if (json) context.stdout.write(`${JSON.stringify({ running: info !== undefined, ...info })}\n`);
  else if (info === undefined) context.stdout.write("The engine does not run. Any verb that needs it starts it.\n");
  else {
    context.stdout.write(
      `The engine runs: process ${info.EnginePid}, socket ${info.Socket}, data root ${info.DataRoot}, ` +
        `${info.ContainersRunning} of ${info.Containers} containers running.\n`,
    );
  }
  return info === undefined ? 3 : 0;
}

async function stop(context: Context, all: boolean): Promise<undefined> {
  let info = await running(context);
  if (all && info === undefined && mayHaveContainers(context)) {
    // Containers outlive their engine: one is started to end them, or they would run on with nobody who knows them.
    await startEngine();
    info = await running(context);
  }
  if (info === undefined) {
    context.stdout.write("The engine does not run.\n");
    return;
  }
  if (!context.host.startsWith("unix://") || !Number.isInteger(info.EnginePid)) {
    // A number of a process elsewhere would be another program's here.
    throw new GantryError("unsupported", {
      doing: "stop the engine at",
      on: context.host,
      because: "it is no Gantry engine of this machine",
    });
  }
  const client = createClient(context.host);
  if (all) {
    const containers = await client.request<ContainerSummary[]>("GET", "/containers/json");
    await Promise.all(
      containers.map(async ({ Id, Names }) => {
        context.stderr.write(`Stopping ${Names[0]?.slice(1)}\n`);
        await client.request("POST", `/containers/${Id}/stop`);
      }),
    );
    await client.request("POST", "/gantry/v1/dismantle");
  }
  // Who keeps it running must not bring back what was stopped.
  if (!(await stopUnit(context))) {
    writeFileSync(defaultPlaces(context.env, process.getuid?.() ?? 0).stopped, "");
    await ended(info.EnginePid);
  }
  if (all || info.ContainersRunning + info.ContainersPaused === 0) await endUserHolder(context, info.Socket);
  context.stdout.write("The engine has stopped.\n");
}

/** Ends the process and waits until it is gone. */
async function ended(pid: number): Promise<void> {
  process.kill(pid, "SIGTERM");
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ESRCH") return;
      throw error;
    }
    await Bun.sleep(10);
  }
}

/** A user's Holder is processes and a network: once nothing runs in it, nobody needs them. Root's is one mount. */
async function endUserHolder(context: Context, socket: string): Promise<void> {
  const uid = process.getuid?.() ?? 0;
  if (uid === 0 || socket !== defaultPlaces(context.env, uid).socket) return;
  await engineProgram("end-holder");
}

async function uninstall(context: Context, data: boolean): Promise<number> {
  await stop(context, true);
  removeUnit(context);
  return await removePlaces(context, data);
}

function mayHaveContainers(context: Context): boolean {
  const folder = join(defaultPlaces(context.env, process.getuid?.() ?? 0).runRoot, "containers");
  return existsSync(folder) && readdirSync(folder).length > 0;
}

async function engineProgram(...words: readonly string[]): Promise<number> {
  const { selfCommand } = await import("#base/core/self.ts");
  return await Bun.spawn([...selfCommand(), "engine", ...words], { stdio: ["ignore", "inherit", "inherit"] }).exited;
}

/** The Holder and the run folder go with the engine's own program; the CLI has no hand in mounts. */
async function removePlaces(context: Context, data: boolean): Promise<number> {
  const code = await engineProgram("clear", ...(data ? ["--data"] : []));
  if (code === 0)
    context.stdout.write(
      data ? "Nothing of Gantry is left but this program.\n" : "The data root is kept; --data removes it.\n",
    );
  return code;
}
