import { GantryError } from "#base/core/errors.ts";
import type { Verb } from "../contract.ts";
import { writeFile } from "../write-file.ts";

export const verb: Verb = {
  declare(command, run) {
    command
      .argument("<image...>", "names, ids or digests")
      .option("-o, --output <file>", "the archive; standard output when left out")
      .option("--platform <platform>", "only this platform of an image for several");
    command.action((names: string[], options: { output?: string; platform?: string }) =>
      run(async (context) => {
        if (options.output === undefined && context.stdout.isTerminal) {
          throw new GantryError("invalid", {
            doing: "save images",
            because: "an archive has no place on a terminal",
            next: "Name a file: gantry save -o FILE IMAGE",
          });
        }
        const client = await context.client();
        const query = new URLSearchParams();
        for (const name of names) query.append("names", name);
        if (options.platform !== undefined) query.append("platform", options.platform);
        const stream = await client.stream("GET", `/images/get?${query}`);
        if (options.output === undefined) for await (const chunk of stream) context.stdout.write(chunk);
        else await writeFile(stream, options.output, "save images to");
        return undefined;
      }),
    );
  },
};
