import type { Verb } from "../contract.ts";

export const verb: Verb = {
  declare(command, run) {
    command.argument("<container>", "name or id").argument("<new-name>");
    command.action((container: string, name: string) =>
      run(async (context) => {
        const client = await context.client();
        await client.request("POST", `/containers/${encodeURIComponent(container)}/rename`, { query: { name } });
        return undefined;
      }),
    );
  },
};
