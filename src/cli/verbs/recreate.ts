import { isKind } from "#base/core/errors.ts";
import type { Client } from "#client/contract.ts";
import type { ContainerInspect } from "#formats/docker/container.ts";
import { composeFile } from "#tools/recreate/compose-file.ts";
import type { ImageDefaults } from "#tools/recreate/contract.ts";
import { runCommand } from "#tools/recreate/run-command.ts";
import type { Verb } from "../contract.ts";

export const verb: Verb = {
  declare(command, run) {
    command
      .argument("<container>")
      .option("--compose", "a compose file instead of a command")
      .action((name: string, { compose }: { readonly compose?: boolean }) =>
        run(async (context) => {
          const client = await context.client();
          const container = await client.request<ContainerInspect>(
            "GET",
            `/containers/${encodeURIComponent(name)}/json`,
          );
          const image = await imageDefaults(client, container.Image);
          const input = { container, ...(image === undefined ? {} : { image }) };
          context.stdout.write(`${compose === true ? composeFile(input).trimEnd() : runCommand(input)}\n`);
          return undefined;
        }),
      );
  },
};

/** Of an image that was removed nothing is known; then all that was set is shown. */
async function imageDefaults(client: Client, id: string): Promise<ImageDefaults | undefined> {
  try {
    const image = await client.request<{ Config: ImageDefaults | null }>(
      "GET",
      `/images/${encodeURIComponent(id)}/json`,
    );
    return image.Config ?? undefined;
  } catch (error) {
    if (isKind(error, "not-found")) return undefined;
    throw error;
  }
}
