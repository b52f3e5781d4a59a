import { absoluteSource, collect } from "../container-flags.ts";
import type { Verb } from "../contract.ts";
import { parseMountFlag } from "../mount-flag.ts";

export const verb: Verb = {
  declare(command, run) {
    command
      .argument("<container>")
      .argument("[volume...]", "as of run -v: /folder:/inside:ro, name:/inside")
      .option("--mount <fields>", "as of run: type=bind|volume,source=…,target=…[,readonly]", collect, [])
      .action((container: string, volumes: string[], { mount }: { readonly mount: string[] }) =>
        run(async (context) => {
          const client = await context.client();
          await client.request("POST", `/gantry/v1/containers/${encodeURIComponent(container)}/mounts`, {
            json: { Binds: volumes.map(absoluteSource), Mounts: mount.map(parseMountFlag) },
          });
          return undefined;
        }),
      );
  },
};
