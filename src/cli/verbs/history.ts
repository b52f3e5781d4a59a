import type { ImageHistoryItem } from "#formats/docker/image.ts";
import type { Verb } from "../contract.ts";
import { renderList } from "../output/list.ts";
import { ago, shortId, size } from "../output/words.ts";

export const verb: Verb = {
  declare(command, run) {
    command
      .argument("<image>", "name, id or digest")
      .option("--format <format>", "json, table, or a template like {{.CreatedBy}}")
      .option("--json", "one JSON object a line")
      .option("--no-trunc", "whole ids and instructions")
      .option("-q, --quiet", "ids only");
    command.action((image: string, options: { format?: string; json?: boolean; trunc: boolean; quiet?: boolean }) =>
      run(async (context) => {
        const client = await context.client();
        const items = await client.request<ImageHistoryItem[]>("GET", `/images/${encodeURIComponent(image)}/history`);
        const cut = (text: string) => (options.trunc && text.length > 45 ? `${text.slice(0, 44)}…` : text);
        const id = (item: ImageHistoryItem) => (item.Id.startsWith("<") || !options.trunc ? item.Id : shortId(item.Id));
        context.stdout.write(
          renderList(
            items,
            [
              { title: "IMAGE", field: "ID", cell: id },
              { title: "CREATED", field: "CreatedSince", cell: (item) => ago(item.Created) },
              { title: "CREATED BY", field: "CreatedBy", cell: (item) => cut(item.CreatedBy.replace(/\s+/g, " ")) },
              { title: "SIZE", field: "Size", cell: (item) => size(item.Size) },
              { title: "COMMENT", field: "Comment", cell: (item) => item.Comment },
            ],
            options,
            id,
          ),
        );
        return undefined;
      }),
    );
  },
};
