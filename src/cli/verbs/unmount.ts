import type { Verb } from "../contract.ts";

export const verb: Verb = {
  declare(command, run) {
    command
      .argument("<container>")
      .argument("<target>", "where it is mounted, inside")
      .action((container: string, target: string) =>
        run(async (context) => {
          const client = await context.client();
          await client.request("DELETE", `/gantry/v1/containers/${encodeURIComponent(container)}/mounts`, {
            query: { target },
          });
          return undefined;
        }),
      );
  },
};
