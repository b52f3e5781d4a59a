import { type ContainerFlags, createBody, declareContainerFlags } from "../container-flags.ts";
import type { Verb } from "../contract.ts";
import { createContainer } from "./run.ts";

export const verb: Verb = {
  declare(command, run) {
    declareContainerFlags(command);
    command.action((image: string, words: string[], options: ContainerFlags) =>
      run(async (context) => {
        const body = createBody(options, image, words, context.env, false);
        const { Id } = await createContainer(context, await context.client(), body, options);
        context.stdout.write(`${Id}\n`);
        return undefined;
      }),
    );
  },
};
