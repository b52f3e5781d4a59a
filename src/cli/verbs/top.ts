import type { Verb } from "../contract.ts";
import { table } from "../output/table.ts";

export const verb: Verb = {
  declare(command, run) {
    command.argument("<container>", "name or id");
    command.action((name: string) =>
      run(async (context) => {
        const client = await context.client();
        const { Titles, Processes } = await client.request<{ Titles: string[]; Processes: string[][] }>(
          "GET",
          `/containers/${encodeURIComponent(name)}/top`,
        );
        context.stdout.write(table(Titles, Processes));
        return undefined;
      }),
    );
  },
};
