import { isKind } from "#base/core/errors.ts";
import type { Verb } from "../contract.ts";
import { each } from "../each.ts";

export const verb: Verb = {
  declare(command, run) {
    command
      .argument("<container...>", "names or ids")
      .option("-f, --force", "kill it first when it runs")
      .option("-v, --volumes", "remove its anonymous volumes too");
    command.action((names: string[], options: { force?: boolean; volumes?: boolean }) =>
      run(async (context) => {
        const client = await context.client();
        return each(context, names, async (name) => {
          try {
            await client.request("DELETE", `/containers/${encodeURIComponent(name)}`, {
              query: { force: options.force, v: options.volumes },
            });
          } catch (error) {
            // As in docker: with --force a container that is not there is as good as removed.
            if (!(options.force === true && isKind(error, "not-found"))) throw error;
          }
          return name;
        });
      }),
    );
  },
};
