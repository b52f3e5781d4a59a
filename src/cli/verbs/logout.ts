import type { Verb } from "../contract.ts";
import { forgetCredentials, registryKey } from "../credentials.ts";

export const verb: Verb = {
  declare(command, run) {
    command.argument("[server]", "the registry; docker.io when left out");
    command.action((server: string | undefined) =>
      run(async (context) => {
        const key = registryKey(server ?? "");
        const had = forgetCredentials(context, server ?? "");
        context.stdout.write(had ? `Removed the credentials for ${key}\n` : `Not logged in to ${key}\n`);
        return undefined;
      }),
    );
  },
};
