import { GantryError } from "#base/core/errors.ts";
import type { Client } from "#client/contract.ts";
import type { ImageDeleteItem } from "#formats/docker/image.ts";
import { confirm } from "../confirm.ts";
import { collect } from "../container-flags.ts";
import type { Context, Verb } from "../contract.ts";
import { filterQuery } from "../filter-flag.ts";
import { size } from "../output/words.ts";

interface Options {
  readonly all?: boolean;
  readonly filter: readonly string[];
  readonly force?: boolean;
  readonly volumes?: boolean;
  readonly json?: boolean;
}

interface Pruned {
  readonly kind: Kind;
  readonly items: readonly string[];
  readonly bytes: number;
}

/** In the order they must go: what holds on to something before what it holds on to. */
const kinds = ["containers", "volumes", "cache", "images"] as const;
type Kind = (typeof kinds)[number];

export const verb: Verb = {
  declare(command, run) {
    command
      .argument("[kind...]", `only some of ${kinds.join(", ")}`)
      .option("-a, --all", "all images without a container, not only those without a name")
      .option("-f, --force", "do not ask")
      .option("--filter <name=value>", "only some, as label=stage", collect, [])
      .option("--volumes", "unused volumes without a name too")
      .option("--json", "what was removed as JSON");
    command.action((words: string[], options: Options) =>
      run(async (context) => {
        const wanted = chosen(words, options);
        // As in docker: unless volumes are asked for by themselves, those with a name are never touched.
        const allVolumes = options.all === true && words.includes("volumes");
        if (options.force !== true && !(await confirm(context, warning(wanted, options.all === true, allVolumes)))) {
          context.stderr.write("Nothing was removed.\n");
          return 1;
        }
        const client = await context.client();
        const done: Pruned[] = [];
        for (const kind of wanted) {
          const pruned = await prune(client, kind, options, allVolumes);
          done.push(pruned);
          if (options.json !== true) show(context, pruned);
        }
        const total = done.reduce((sum, { bytes }) => sum + bytes, 0);
        if (options.json === true) {
          const record = Object.fromEntries(done.map(({ kind, items }) => [kind, items]));
          context.stdout.write(`${JSON.stringify({ ...record, SpaceReclaimed: total })}\n`);
        } else context.stdout.write(`Total reclaimed space: ${size(total)}\n`);
        return undefined;
      }),
    );
  },
};

function chosen(words: readonly string[], options: Options): Kind[] {
  for (const word of words) {
    if (kinds.includes(word as Kind)) continue;
    throw new GantryError("invalid", {
      doing: "prune",
      on: word,
      because: `it is none of ${kinds.join(", ")}`,
      details: { usage: true },
    });
  }
  if (words.length > 0) return kinds.filter((kind) => words.includes(kind));
  return kinds.filter((kind) => kind !== "volumes" || options.volumes === true);
}

function warning(wanted: readonly Kind[], all: boolean, allVolumes: boolean): string {
  const texts: Readonly<Record<Kind, string>> = {
    containers: "all stopped containers",
    volumes: allVolumes ? "all volumes no container uses" : "all volumes without a name that no container uses",
    cache: "the build cache",
    images: all ? "all images without a container" : "all images without a name or a container",
  };
  return `WARNING! This will remove:\n${wanted.map((kind) => `  - ${texts[kind]}\n`).join("")}\nAre you sure you want to continue?`;
}

const titles: Readonly<Record<Kind, string>> = {
  containers: "Deleted Containers:",
  volumes: "Deleted Volumes:",
  cache: "Deleted build cache objects:",
  images: "Deleted Images:",
};

function show(context: Context, { kind, items }: Pruned): void {
  if (items.length > 0) context.stdout.write(`${titles[kind]}\n${items.map((item) => `${item}\n`).join("")}\n`);
}

async function prune(client: Client, kind: Kind, options: Options, allVolumes: boolean): Promise<Pruned> {
  const filters = (...own: string[]) => ({ filters: filterQuery([...own, ...options.filter]) });
  switch (kind) {
    case "containers": {
      const answer = await client.request<{ ContainersDeleted: string[] | null; SpaceReclaimed: number }>(
        "POST",
        "/containers/prune",
        { query: filters() },
      );
      return { kind, items: answer.ContainersDeleted ?? [], bytes: answer.SpaceReclaimed };
    }
    case "volumes": {
      const answer = await client.request<{ VolumesDeleted: string[] | null; SpaceReclaimed: number }>(
        "POST",
        "/volumes/prune",
        { query: filters(...(allVolumes ? ["all=true"] : [])) },
      );
      return { kind, items: answer.VolumesDeleted ?? [], bytes: answer.SpaceReclaimed };
    }
    case "cache": {
      const answer = await client.request<{ CachesDeleted: string[] | null; SpaceReclaimed: number }>(
        "POST",
        "/build/prune",
        { query: { all: options.all } },
      );
      return { kind, items: answer.CachesDeleted ?? [], bytes: answer.SpaceReclaimed };
    }
    case "images": {
      const answer = await client.request<{ ImagesDeleted: ImageDeleteItem[] | null; SpaceReclaimed: number }>(
        "POST",
        "/images/prune",
        { query: filters(`dangling=${options.all !== true}`) },
      );
      const items = (answer.ImagesDeleted ?? []).map((item) =>
        item.Untagged === undefined ? `deleted: ${item.Deleted}` : `untagged: ${item.Untagged}`,
      );
      return { kind, items, bytes: answer.SpaceReclaimed };
    }
  }
}
