import type { Verb } from "../contract.ts";

const letters = ["C", "A", "D"] as const;

export const verb: Verb = {
  declare(command, run) {
    command.argument("<container>", "name or id");
    command.action((name: string) =>
      run(async (context) => {
        const client = await context.client();
        const changes = await client.request<{ Path: string; Kind: 0 | 1 | 2 }[] | null>(
          "GET",
          `/containers/${encodeURIComponent(name)}/changes`,
        );
        context.stdout.write((changes ?? []).map((change) => `${letters[change.Kind]} ${change.Path}\n`).join(""));
        return undefined;
      }),
    );
  },
};
