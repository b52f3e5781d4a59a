import { familiarRepository, parseReference, withDefaultTag } from "#formats/oci/reference.ts";
import type { Verb } from "../contract.ts";
import { authHeader } from "../credentials.ts";
import { showProgress } from "../transfer.ts";

export const verb: Verb = {
  declare(command, run) {
    command
      .argument("<image>", "name:tag, with the registry's host in front")
      .option("-q, --quiet", "print only the digest");
    command.action((image: string, options: { quiet?: boolean }) =>
      run(async (context) => {
        const reference = withDefaultTag(parseReference(image));
        const client = await context.client();
        const header = authHeader(context, image);
        const lines = await client.stream("POST", `/images/${encodeURIComponent(familiarRepository(reference))}/push`, {
          query: { tag: reference.tag },
          headers: "X-Registry-Auth" in header ? header : { "X-Registry-Auth": "e30" },
        });
        let digest: unknown;
        await showProgress(
          lines,
          options.quiet === true ? undefined : context.stdout,
          "push the image",
          image,
          (aux) => {
            digest = aux.Digest ?? digest;
          },
        );
        if (options.quiet === true && digest !== undefined) context.stdout.write(`${String(digest)}\n`);
        return undefined;
      }),
    );
  },
};
