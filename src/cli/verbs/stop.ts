import type { Verb } from "../contract.ts";
import { each } from "../each.ts";

export const verb: Verb = {
  declare(command, run) {
    command
      .argument("<container...>", "names or ids")
      .option("-s, --signal <signal>", "the signal to stop with")
      .option("-t, --timeout <seconds>", "seconds to wait before SIGKILL");
    command.action((names: string[], options: { signal?: string; timeout?: string }) =>
      run(async (context) => {
        const client = await context.client();
        const query = { signal: options.signal, t: options.timeout };
        return each(context, names, async (name) => {
          await client.request("POST", `/containers/${encodeURIComponent(name)}/stop`, { query });
          return name;
        });
      }),
    );
  },
};
