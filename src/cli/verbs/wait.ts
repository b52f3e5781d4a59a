import type { ContainerWaitAnswer } from "#formats/docker/container.ts";
import type { Verb } from "../contract.ts";
import { each } from "../each.ts";
import { exitCodeOf } from "../session.ts";

export const verb: Verb = {
  declare(command, run) {
    command.argument("<container...>", "names or ids");
    command.action((names: string[]) =>
      run(async (context) => {
        const client = await context.client();
        return each(context, names, async (name) => {
          const answer = await client.request<ContainerWaitAnswer>(
            "POST",
            `/containers/${encodeURIComponent(name)}/wait`,
          );
          return `${exitCodeOf(answer)}`;
        });
      }),
    );
  },
};
