import type { ContainerInspect } from "#formats/docker/container.ts";
import type { Verb } from "../contract.ts";
import { each } from "../each.ts";
import { attachSession } from "../session.ts";

export const verb: Verb = {
  declare(command, run) {
    command
      .argument("<container...>", "names or ids")
      .option("-a, --attach", "show its output and forward signals")
      .option("-i, --interactive", "give it this terminal's input")
      .option("--detach-keys <keys>", "keys that leave the container running");
    command.action((names: string[], options: { attach?: boolean; interactive?: boolean; detachKeys?: string }) =>
      run(async (context) => {
        const client = await context.client();
        const [only] = names;
        if ((options.attach === true || options.interactive === true) && names.length === 1) {
          const info = await client.request<ContainerInspect>("GET", `/containers/${encodeURIComponent(only!)}/json`);
          return attachSession(context, client, {
            id: info.Id,
            terminal: info.Config.Tty === true,
            stdin: options.interactive === true && info.Config.OpenStdin === true,
            stdout: true,
            stderr: true,
            forwardSignals: true,
            detachKeys: options.detachKeys,
            start: true,
            removed: false,
          });
        }
        return each(context, names, async (name) => {
          await client.request("POST", `/containers/${encodeURIComponent(name)}/start`);
          return name;
        });
      }),
    );
  },
};
