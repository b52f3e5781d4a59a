import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { defaultPlaces } from "#base/core/places.ts";
import { selfCommand } from "#base/core/self.ts";
import type { Context } from "./contract.ts";
import { startEngine } from "./engine-process.ts";

interface Unit {
  readonly file: string;
  readonly target: string;
  readonly systemctl: readonly string[];
}

/** Root's is the machine's; an ordinary user's is started with the user's first login, or at boot after enable-linger. */
export function unitOf({ env }: Pick<Context, "env">, uid: number): Unit {
  if (uid === 0) {
    return { file: "/etc/systemd/system/gantry.service", target: "multi-user.target", systemctl: ["systemctl"] };
  }
  const config = env.XDG_CONFIG_HOME || `${env.HOME || "/"}/.config`;
  const file = `${config}/systemd/user/gantry.service`;
  return { file, target: "default.target", systemctl: ["systemctl", "--user"] };
}

/** Restart brings names and logs back; KillMode=process leaves containers alone when the engine is restarted. */
export function unitText(command: readonly string[], target = "multi-user.target"): string {
  return `[Unit]
Description=Gantry container engine
After=network-online.target
Wants=network-online.target

[Service]
Type=forking
ExecStart=${[...command, "engine", "launch"].join(" ")}
Restart=always
RestartSec=200ms
KillMode=process
Delegate=yes
LimitNOFILE=infinity
TasksMax=infinity

[Install]
WantedBy=${target}
`;
}

export async function installUnit(context: Context): Promise<undefined> {
  if (!hasSystemd()) return await supervise(context);
  const { file, target, systemctl } = unitOf(context, process.getuid?.() ?? 0);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, unitText(selfCommand(), target), { mode: 0o644 });
  context.stdout.write(`Wrote ${file}\n`);
  const child = Bun.spawn([...systemctl, "enable", "--now", "gantry.service"], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  if ((await child.exited) !== 0) context.stderr.write("systemctl could not enable the unit; its words are above.\n");
}

/** The supervisor is started by the launcher, which finds the mark; at boot it wants one line of the user's. */
async function supervise(context: Context): Promise<undefined> {
  const places = defaultPlaces(context.env, process.getuid?.() ?? 0);
  mkdirSync(places.dataRoot, { recursive: true, mode: 0o700 });
  writeFileSync(places.supervised, "");
  await startEngine();
  context.stdout.write(
    "This machine does not run systemd: a supervisor keeps the engine running from now on.\n" +
      `To begin at boot, let the machine's start-up run: ${[...selfCommand(), "engine", "start"].join(" ")}\n`,
  );
  return undefined;
}

function hasSystemd(): boolean {
  return existsSync("/run/systemd/system");
}

/** True: the engine was systemd's, and systemd has stopped it. */
export async function stopUnit(context: Context): Promise<boolean> {
  const { file, systemctl } = unitOf(context, process.getuid?.() ?? 0);
  if (!existsSync(file) || !hasSystemd()) return false;
  const quiet = { stdio: ["ignore", "ignore", "inherit"] as ["ignore", "ignore", "inherit"] };
  if ((await Bun.spawn([...systemctl, "is-active", "-q", "gantry.service"], quiet).exited) !== 0) return false;
  return (await Bun.spawn([...systemctl, "stop", "gantry.service"], quiet).exited) === 0;
}

export function removeUnit(context: Context): void {
  const uid = process.getuid?.() ?? 0;
  rmSync(defaultPlaces(context.env, uid).supervised, { force: true });
  const { file, systemctl } = unitOf(context, uid);
  if (!existsSync(file)) return;
  if (hasSystemd()) Bun.spawnSync([...systemctl, "disable", "gantry.service"]);
  rmSync(file);
  context.stdout.write(`Removed ${file}\n`);
}
