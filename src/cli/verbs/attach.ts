import { GantryError } from "#base/core/errors.ts";
import type { ContainerInspect } from "#formats/docker/container.ts";
import type { Verb } from "../contract.ts";
import { attachSession } from "../session.ts";

export const verb: Verb = {
  declare(command, run) {
    command
      .argument("<container>", "name or id")
      .option("--no-stdin", "do not give it this terminal's input")
      .option("--no-sig-proxy", "do not forward signals")
      .option("--detach-keys <keys>", "keys that leave the container running");
    command.action((name: string, options: { stdin: boolean; sigProxy: boolean; detachKeys?: string }) =>
      run(async (context) => {
        const client = await context.client();
        const info = await client.request<ContainerInspect>("GET", `/containers/${encodeURIComponent(name)}/json`);
        if (!info.State.Running) {
          throw new GantryError("conflict", {
            doing: "attach to",
            on: name,
            because: `the container is ${info.State.Status}`,
            next: `Start it with: gantry start -ai ${name}`,
          });
        }
        return attachSession(context, client, {
          id: info.Id,
          terminal: info.Config.Tty === true,
          stdin: options.stdin && info.Config.OpenStdin === true,
          stdout: true,
          stderr: true,
          forwardSignals: options.sigProxy,
          detachKeys: options.detachKeys,
          start: false,
          removed: false,
        });
      }),
    );
  },
};
