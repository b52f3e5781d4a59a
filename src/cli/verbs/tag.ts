import { familiarRepository, parseReference, withDefaultTag } from "#formats/oci/reference.ts";
import type { Verb } from "../contract.ts";

export const verb: Verb = {
  declare(command, run) {
    command.argument("<image>", "name, id or digest").argument("<name>", "the further name");
    command.action((image: string, name: string) =>
      run(async (context) => {
        const reference = withDefaultTag(parseReference(name));
        const client = await context.client();
        await client.request("POST", `/images/${encodeURIComponent(image)}/tag`, {
          query: { repo: familiarRepository(reference), tag: reference.tag },
        });
        return undefined;
      }),
    );
  },
};
