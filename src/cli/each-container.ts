import type { Verb } from "./contract.ts";
import { each } from "./each.ts";

/** A verb that posts one page of each container it is given and prints the name it was called by. */
export function eachContainer(page: string): Verb {
  return {
    declare(command, run) {
      command.argument("<container...>", "names or ids");
      command.action((names: string[]) =>
        run(async (context) => {
          const client = await context.client();
          return each(context, names, async (name) => {
            await client.request("POST", `/containers/${encodeURIComponent(name)}/${page}`);
            return name;
          });
        }),
      );
    },
  };
}

/** The same with the flags that say how a container is ended. */
export function eachEnded(page: "stop" | "restart"): Verb {
  return {
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
            await client.request("POST", `/containers/${encodeURIComponent(name)}/${page}`, { query });
            return name;
          });
        }),
      );
    },
  };
}
