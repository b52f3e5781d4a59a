import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { selfCommand } from "#base/core/self.ts";
import type { Context } from "./contract.ts";

const unitFile = "/etc/systemd/system/gantry.service";

/** Restart brings names and logs back; KillMode=process leaves containers alone when the engine is restarted. */
export function unitText(command: readonly string[]): string {
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
WantedBy=multi-user.target
`;
}

export async function installUnit(context: Context): Promise<undefined> {
  mkdirSync(dirname(unitFile), { recursive: true });
  writeFileSync(unitFile, unitText(selfCommand()), { mode: 0o644 });
  context.stdout.write(`Wrote ${unitFile}\n`);
  if (!existsSync("/run/systemd/system")) {
    context.stdout.write("This machine does not run systemd; the engine starts with the first verb that needs it.\n");
    return;
  }
  const child = Bun.spawn(["systemctl", "enable", "--now", "gantry.service"], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  if ((await child.exited) !== 0) context.stderr.write("systemctl could not enable the unit; its words are above.\n");
}

export function removeUnit(context: Context): void {
  if (!existsSync(unitFile)) return;
  if (existsSync("/run/systemd/system")) Bun.spawnSync(["systemctl", "disable", "gantry.service"]);
  rmSync(unitFile);
  context.stdout.write(`Removed ${unitFile}\n`);
}
