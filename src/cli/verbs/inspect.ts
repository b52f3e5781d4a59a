import { GantryError, isKind } from "#base/core/errors.ts";
import type { Client } from "#client/contract.ts";
import type { Verb } from "../contract.ts";
import { showEach } from "../show-each.ts";

const places = {
  container: "/containers/NAME/json",
  image: "/images/NAME/json",
  volume: "/volumes/NAME",
  network: "/networks/NAME",
} as const;

async function find(client: Client, name: string, type: string | undefined, size: boolean): Promise<unknown> {
  const wanted = Object.entries(places).filter(([kind]) => type === undefined || kind === type);
  if (wanted.length === 0)
    throw new GantryError("invalid", { doing: "inspect", on: name, because: `there is no type ${type}` });
  for (const [, path] of wanted) {
    try {
      return await client.request(
        "GET",
        path.replace("NAME", () => encodeURIComponent(name)),
        {
          query: { size: size || undefined },
        },
      );
    } catch (error) {
      if (!isKind(error, "not-found")) throw error;
    }
  }
  throw new GantryError("not-found", { doing: "inspect", on: name, because: `there is no such ${type ?? "object"}` });
}

export const verb: Verb = {
  declare(command, run) {
    command
      .argument("<name...>", "containers, images, volumes or networks")
      .option("-f, --format <format>", "json, or a template like {{.State.Status}}")
      .option("--json", "as it is by default")
      .option("-s, --size", "sizes too")
      .option("--type <type>", "container, image, volume or network");
    command.action((names: string[], options: { format?: string; size?: boolean; type?: string }) =>
      run(async (context) => {
        const client = await context.client();
        return await showEach(context, names, options.format, (name) =>
          find(client, name, options.type, options.size === true),
        );
      }),
    );
  },
};
