import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { selfCommand } from "#base/core/self.ts";
import type { Context } from "./contract.ts";

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
  const { file, target, systemctl } = unitOf(context, process.getuid?.() ?? 0);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, unitText(selfCommand(), target), { mode: 0o644 });
  context.stdout.write(`Wrote ${file}\n`);
  if (!existsSync("/run/systemd/system")) {
    context.stdout.write("This machine does not run systemd; the engine starts with the first verb that needs it.\n");
    return;
  }
  const child = Bun.spawn([...systemctl, "enable", "--now", "gantry.service"], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  if ((await child.exited) !== 0) context.stderr.write("systemctl could not enable the unit; its words are above.\n");
}

export function removeUnit(context: Context): void {
  const { file, systemctl } = unitOf(context, process.getuid?.() ?? 0);
  if (!existsSync(file)) return;
  if (existsSync("/run/systemd/system")) Bun.spawnSync([...systemctl, "disable", "gantry.service"]);
  rmSync(file);
  context.stdout.write(`Removed ${file}\n`);
}
