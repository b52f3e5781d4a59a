import type { Verb } from "../contract.ts";
import { parsePublish } from "../publish.ts";

export const verb: Verb = {
  declare(command, run) {
    command
      .argument("<container>")
      .argument("<port...>", "as they were published, or the container's port alone")
      .action((container: string, words: string[]) =>
        run(async (context) => {
          const client = await context.client();
          const { bindings } = parsePublish(words, []);
          await client.request("DELETE", `/gantry/v1/containers/${encodeURIComponent(container)}/ports`, {
            json: { PortBindings: bindings },
          });
          return undefined;
        }),
      );
  },
};
