import { canonicalReference, parseReference, withDefaultTag } from "#formats/oci/reference.ts";
import type { Verb } from "../contract.ts";
import { pullImage } from "../transfer.ts";

export const verb: Verb = {
  declare(command, run) {
    command
      .argument("<image>", "name, name:tag or name@digest")
      .option("--platform <platform>", "as linux/arm64")
      .option("-q, --quiet", "print only the name");
    command.action((image: string, options: { platform?: string; quiet?: boolean }) =>
      run(async (context) => {
        const name = canonicalReference(withDefaultTag(parseReference(image)));
        await pullImage(context, await context.client(), image, {
          platform: options.platform,
          quiet: options.quiet === true,
          to: context.stdout,
        });
        context.stdout.write(`${name}\n`);
        return undefined;
      }),
    );
  },
};
