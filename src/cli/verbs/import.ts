import { existsSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import { jsonLines } from "#client/demultiplex.ts";
import type { ProgressLine } from "#formats/docker/contract.ts";
import { familiarRepository, parseReference, withDefaultTag } from "#formats/oci/reference.ts";
import { collect } from "../container-flags.ts";
import type { Verb } from "../contract.ts";

interface Options {
  readonly change: readonly string[];
  readonly message?: string;
  readonly platform?: string;
}

export const verb: Verb = {
  declare(command, run) {
    command
      .argument("<file>", "a root file system's tar, or - for standard input")
      .argument("[name]", "the image's name")
      .option("-c, --change <instruction>", "a Dockerfile instruction, as 'CMD [\"sh\"]'", collect, [])
      .option("-m, --message <text>", "a note for its history")
      .option("--platform <platform>", "as linux/amd64");
    command.action((file: string, name: string | undefined, options: Options) =>
      run(async (context) => {
        if (file !== "-" && !existsSync(file)) {
          throw new GantryError("not-found", { doing: "import", on: file, because: "there is no such file" });
        }
        const reference = name === undefined ? undefined : withDefaultTag(parseReference(name));
        const query = new URLSearchParams({ fromSrc: "-" });
        if (reference !== undefined) {
          query.set("repo", familiarRepository(reference));
          query.set("tag", reference.tag ?? "latest");
        }
        for (const change of options.change) query.append("changes", change);
        if (options.message !== undefined) query.set("message", options.message);
        if (options.platform !== undefined) query.set("platform", options.platform);
        const client = await context.client();
        const lines = await client.stream("POST", `/images/create?${query}`, {
          body: (file === "-" ? Bun.stdin : Bun.file(file)).stream(),
          headers: { "Content-Type": "application/x-tar" },
        });
        for await (const line of jsonLines<ProgressLine>(lines)) {
          if (line.error !== undefined)
            throw new GantryError("invalid", { doing: "import", on: file, because: line.error });
          if (line.status?.startsWith("sha256:") === true) context.stdout.write(`${line.status}\n`);
        }
        return undefined;
      }),
    );
  },
};
