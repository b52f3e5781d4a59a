import type { ImageSummary } from "#formats/docker/image.ts";
import { collect } from "../container-flags.ts";
import type { Verb } from "../contract.ts";
import { filterQuery } from "../filter-flag.ts";
import { type Column, renderList } from "../output/list.ts";
import { ago, shortId, size } from "../output/words.ts";

interface Options {
  readonly all?: boolean;
  readonly digests?: boolean;
  readonly filter: readonly string[];
  readonly format?: string;
  readonly json?: boolean;
  readonly trunc: boolean;
  readonly quiet?: boolean;
}

interface Row {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  readonly image: ImageSummary;
}

/** One row a name; an image without a name has one row of <none>. */
function rowsOf(image: ImageSummary): Row[] {
  const digest = (repository: string) =>
    image.RepoDigests.find((item) => item.startsWith(`${repository}@`))?.split("@")[1] ?? "<none>";
  const named = image.RepoTags.map((name) => {
    const at = name.lastIndexOf(":");
    const repository = name.slice(0, at);
    return { repository, tag: name.slice(at + 1), digest: digest(repository), image };
  });
  if (named.length > 0) return named;
  const [byDigest] = image.RepoDigests;
  const [repository = "<none>", value = "<none>"] = byDigest?.split("@") ?? [];
  return [{ repository, tag: "<none>", digest: value, image }];
}

function columns(options: Options): Column<Row>[] {
  return [
    { title: "REPOSITORY", field: "Repository", cell: (row) => row.repository },
    { title: "TAG", field: "Tag", cell: (row) => row.tag },
    { title: options.digests === true ? "DIGEST" : "", field: "Digest", cell: (row) => row.digest },
    { title: "IMAGE ID", field: "ID", cell: (row) => (options.trunc ? shortId(row.image.Id) : row.image.Id) },
    { title: "CREATED", field: "CreatedSince", cell: (row) => ago(row.image.Created) },
    { title: "SIZE", field: "Size", cell: (row) => size(row.image.Size) },
    { title: "", field: "CreatedAt", cell: (row) => new Date(row.image.Created * 1000).toISOString() },
  ];
}

export const verb: Verb = {
  declare(command, run) {
    command
      .argument("[reference]", "only images of this repository or name")
      .option("-a, --all", "all, as it is by default")
      .option("--digests", "digests too")
      .option("-f, --filter <name=value>", "only some", collect, [])
      .option("--format <format>", "json, table, or a template like {{.Repository}}")
      .option("--json", "one JSON object a line")
      .option("--no-trunc", "whole ids")
      .option("-q, --quiet", "ids only");
    command.action((reference: string | undefined, options: Options) =>
      run(async (context) => {
        const client = await context.client();
        const asked = reference === undefined ? options.filter : [...options.filter, `reference=${reference}`];
        const images = await client.request<ImageSummary[]>("GET", "/images/json", {
          query: { filters: filterQuery(asked) },
        });
        const rows = images.flatMap(rowsOf);
        context.stdout.write(
          renderList(rows, columns(options), options, (row) => (options.trunc ? shortId(row.image.Id) : row.image.Id)),
        );
        return undefined;
      }),
    );
  },
};
