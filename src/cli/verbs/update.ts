import type { HostConfig } from "#formats/docker/container.ts";
import type { Verb } from "../contract.ts";
import { each } from "../each.ts";
import { declareResourceFlags, type ResourceFlags, resourceFlags } from "../resource-flags.ts";
import { restartPolicy } from "../restart-flag.ts";

export const verb: Verb = {
  declare(command, run) {
    declareResourceFlags(command);
    command
      .argument("<container...>", "names or ids")
      .option("--restart <policy>", "no, on-failure[:N], always or unless-stopped")
      .action((names: string[], flags: ResourceFlags & { readonly restart?: string }) =>
        run(async (context) => {
          const client = await context.client();
          const body: HostConfig = {
            ...resourceFlags(flags),
            ...(flags.restart === undefined ? {} : { RestartPolicy: restartPolicy(flags.restart) }),
          };
          return each(context, names, async (name) => {
            await client.request("POST", `/containers/${encodeURIComponent(name)}/update`, { json: body });
            return name;
          });
        }),
      );
  },
};
