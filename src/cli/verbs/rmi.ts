import { isKind } from "#base/core/errors.ts";
import type { ImageDeleteItem } from "#formats/docker/image.ts";
import type { Verb } from "../contract.ts";
import { each } from "../each.ts";

export const verb: Verb = {
  declare(command, run) {
    command.argument("<image...>", "names, ids or digests").option("-f, --force", "also when it has other names");
    command.action((names: string[], options: { force?: boolean }) =>
      run(async (context) => {
        const client = await context.client();
        return each(context, names, async (name) => {
          try {
            const items = await client.request<ImageDeleteItem[]>("DELETE", `/images/${encodeURIComponent(name)}`, {
              query: { force: options.force },
            });
            return items
              .map((item) => (item.Untagged === undefined ? `Deleted: ${item.Deleted}` : `Untagged: ${item.Untagged}`))
              .join("\n");
          } catch (error) {
            if (options.force === true && isKind(error, "not-found")) return undefined;
            throw error;
          }
        });
      }),
    );
  },
};
