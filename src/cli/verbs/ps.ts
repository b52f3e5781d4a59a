import type { ContainerPort, ContainerSummary } from "#formats/docker/container.ts";
import { collect } from "../container-flags.ts";
import type { Verb } from "../contract.ts";
import { filterQuery } from "../filter-flag.ts";
import { type Column, renderList } from "../output/list.ts";
import { ago, labelsCell, shortId, size } from "../output/words.ts";

interface Options {
  readonly all?: boolean;
  readonly filter: readonly string[];
  readonly format?: string;
  readonly json?: boolean;
  readonly last?: string;
  readonly latest?: boolean;
  readonly trunc: boolean;
  readonly quiet?: boolean;
  readonly size?: boolean;
}

export function portWords(ports: readonly ContainerPort[]): string {
  return ports
    .map((port) => {
      const inside = `${port.PrivatePort}/${port.Type}`;
      return port.PublicPort === undefined ? inside : `${port.IP}:${port.PublicPort}->${inside}`;
    })
    .join(", ");
}

function columns(options: Options): Column<ContainerSummary>[] {
  const cut = (text: string, width: number) =>
    options.trunc && text.length > width ? `${text.slice(0, width - 1)}…` : text;
  return [
    { title: "CONTAINER ID", field: "ID", cell: (item) => (options.trunc ? shortId(item.Id) : item.Id) },
    { title: "IMAGE", field: "Image", cell: (item) => item.Image },
    { title: "COMMAND", field: "Command", cell: (item) => `"${cut(item.Command, 20)}"` },
    { title: "CREATED", field: "RunningFor", cell: (item) => ago(item.Created) },
    { title: "STATUS", field: "Status", cell: (item) => item.Status },
    { title: "PORTS", field: "Ports", cell: (item) => portWords(item.Ports) },
    { title: "NAMES", field: "Names", cell: (item) => item.Names.map((name) => name.replace(/^\//, "")).join(",") },
    {
      title: options.size === true ? "SIZE" : "",
      field: "Size",
      cell: (item) => (item.SizeRw === undefined ? "" : size(item.SizeRw)),
    },
    { title: "", field: "State", cell: (item) => item.State },
    { title: "", field: "CreatedAt", cell: (item) => new Date(item.Created * 1000).toISOString() },
    {
      title: "",
      field: "Labels",
      cell: (item) => labelsCell(item.Labels),
    },
    { title: "", field: "Mounts", cell: (item) => item.Mounts.map((mount) => mount.Name ?? mount.Source).join(",") },
    { title: "", field: "Networks", cell: (item) => Object.keys(item.NetworkSettings.Networks).join(",") },
  ];
}

export const verb: Verb = {
  declare(command, run) {
    command
      .option("-a, --all", "those that ended too")
      .option("-f, --filter <name=value>", "only some", collect, [])
      .option("--format <format>", "json, table, or a template like {{.Names}}")
      .option("--json", "one JSON object a line")
      .option("-n, --last <number>", "the last created ones, whatever their state")
      .option("-l, --latest", "the last created one")
      .option("--no-trunc", "whole ids and commands")
      .option("-q, --quiet", "ids only")
      .option("-s, --size", "sizes too");
    command.action((options: Options) =>
      run(async (context) => {
        const client = await context.client();
        const items = await client.request<ContainerSummary[]>("GET", "/containers/json", {
          query: {
            all: options.all,
            limit: options.latest === true ? 1 : options.last,
            size: options.size,
            filters: filterQuery(options.filter),
          },
        });
        context.stdout.write(
          renderList(items, columns(options), options, (item) => (options.trunc ? shortId(item.Id) : item.Id)),
        );
        return undefined;
      }),
    );
  },
};
