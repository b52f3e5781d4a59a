import type { Verb } from "../contract.ts";
import { table } from "../output/table.ts";

export const verb: Verb = {
  declare(command, run) {
    command
      .passThroughOptions()
      .argument("<container>", "name or id")
      .argument("[ps words...]", "as -o pid,comm; ps's own");
    command.action((name: string, words: string[]) =>
      run(async (context) => {
        const client = await context.client();
        const { Titles, Processes } = await client.request<{ Titles: string[]; Processes: string[][] }>(
          "GET",
          `/containers/${encodeURIComponent(name)}/top`,
          { query: { ps_args: words.length === 0 ? undefined : words.join(" ") } },
        );
        context.stdout.write(table(Titles, Processes));
        return undefined;
      }),
    );
  },
};
