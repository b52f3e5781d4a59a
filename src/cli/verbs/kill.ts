import type { Verb } from "../contract.ts";
import { each } from "../each.ts";

export const verb: Verb = {
  declare(command, run) {
    command.argument("<container...>", "names or ids").option("-s, --signal <signal>", "the signal", "KILL");
    command.action((names: string[], options: { signal: string }) =>
      run(async (context) => {
        const client = await context.client();
        return each(context, names, async (name) => {
          await client.request("POST", `/containers/${encodeURIComponent(name)}/kill`, {
            query: { signal: options.signal },
          });
          return name;
        });
      }),
    );
  },
};
