import type { Command } from "commander";
import { GantryError, isKind } from "#base/core/errors.ts";
import { confirm } from "../confirm.ts";
import { collect } from "../container-flags.ts";
import type { Context, Verb, VerbResult } from "../contract.ts";
import { each } from "../each.ts";
import { filterQuery } from "../filter-flag.ts";
import { type Column, renderList } from "../output/list.ts";
import { labelsCell, size } from "../output/words.ts";
import { pairs } from "../pairs-flag.ts";
import { showEach } from "../show-each.ts";
import { declareWork } from "./volume-work.ts";

interface Volume {
  readonly Name: string;
  readonly Driver: string;
  readonly Mountpoint: string;
  readonly Scope: string;
  readonly Labels: Readonly<Record<string, string>> | null;
}

type Run = (act: (context: Context) => Promise<VerbResult>) => Promise<void>;

export const verb: Verb = {
  declare(command, run) {
    declareCreate(command, run);
    declareList(command, run);
    declareInspect(command, run);
    declareRemove(command, run);
    declarePrune(command, run);
    declareWork(command, run);
    command.argument("[verb]").usage("create|ls|inspect|rm|prune|clone|snapshot|export|import|rename [options]");
    command.action((word: string | undefined) =>
      run(async (context) => {
        if (word !== undefined) {
          throw new GantryError("invalid", {
            doing: "run",
            on: `gantry volume ${word}`,
            because: "there is no such verb",
            next: "See 'gantry volume --help'.",
            details: { usage: true },
          });
        }
        context.stdout.write(command.helpInformation());
        return undefined;
      }),
    );
  },
};

function declareCreate(command: Command, run: Run): void {
  command
    .command("create")
    .description("Make a volume and print its name")
    .argument("[name]", "a name is made up when left out")
    .option("-d, --driver <name>", "local", "local")
    .option("--label <name=value>", "a label", collect, [])
    .option("-o, --opt <name=value>", "an option of the driver", collect, [])
    .action((name: string | undefined, options: { driver: string; label: string[]; opt: string[] }) =>
      run(async (context) => {
        const client = await context.client();
        const { Name } = await client.request<Volume>("POST", "/volumes/create", {
          json: {
            ...(name === undefined ? {} : { Name: name }),
            Driver: options.driver,
            Labels: pairs(options.label, "label"),
            DriverOpts: pairs(options.opt, "opt"),
          },
        });
        context.stdout.write(`${Name}\n`);
        return undefined;
      }),
    );
}

const columns: readonly Column<Volume>[] = [
  { title: "DRIVER", field: "Driver", cell: (volume) => volume.Driver },
  { title: "VOLUME NAME", field: "Name", cell: (volume) => volume.Name },
  { title: "", field: "Mountpoint", cell: (volume) => volume.Mountpoint },
  { title: "", field: "Scope", cell: (volume) => volume.Scope },
  {
    title: "",
    field: "Labels",
    cell: (volume) => labelsCell(volume.Labels),
  },
];

interface ListFlags {
  readonly filter: readonly string[];
  readonly format?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

function declareList(command: Command, run: Run): void {
  command
    .command("ls")
    .alias("list")
    .description("List volumes")
    .option("-f, --filter <name=value>", "only some, as dangling=true", collect, [])
    .option("--format <format>", "json, table, or a template like {{.Name}}")
    .option("--json", "one JSON object a line")
    .option("-q, --quiet", "names only")
    .action((options: ListFlags) =>
      run(async (context) => {
        const client = await context.client();
        const { Volumes } = await client.request<{ Volumes: Volume[] | null }>("GET", "/volumes", {
          query: { filters: filterQuery(options.filter) },
        });
        context.stdout.write(renderList(Volumes ?? [], columns, options, (volume) => volume.Name));
        return undefined;
      }),
    );
}

function declareInspect(command: Command, run: Run): void {
  command
    .command("inspect")
    .description("Show all that is known of volumes")
    .argument("<volume...>", "names")
    .option("-f, --format <format>", "json, or a template like {{.Mountpoint}}")
    .option("--json", "as it is by default")
    .action((names: string[], options: { format?: string }) =>
      run(async (context) => {
        const client = await context.client();
        return await showEach(context, names, options.format, (name) =>
          client.request("GET", `/volumes/${encodeURIComponent(name)}`),
        );
      }),
    );
}

function declareRemove(command: Command, run: Run): void {
  command
    .command("rm")
    .alias("remove")
    .description("Remove volumes and what is in them")
    .argument("<volume...>", "names")
    .option("-f, --force", "no error when one is not there")
    .action((names: string[], options: { force?: boolean }) =>
      run(async (context) => {
        const client = await context.client();
        return each(context, names, async (name) => {
          try {
            await client.request("DELETE", `/volumes/${encodeURIComponent(name)}`, { query: { force: options.force } });
          } catch (error) {
            if (!(options.force === true && isKind(error, "not-found"))) throw error;
          }
          return name;
        });
      }),
    );
}

function declarePrune(command: Command, run: Run): void {
  command
    .command("prune")
    .description("Remove volumes no container uses")
    .option("-a, --all", "those with a name too")
    .option("--filter <name=value>", "only some, as label=stage", collect, [])
    .option("-f, --force", "do not ask")
    .action((options: { all?: boolean; filter: string[]; force?: boolean }) =>
      run(async (context) => {
        const which = options.all === true ? "all volumes" : "all volumes without a name";
        const question = `WARNING! This will remove ${which} that no container uses.\nAre you sure you want to continue?`;
        if (options.force !== true && !(await confirm(context, question))) {
          context.stderr.write("Nothing was removed.\n");
          return 1;
        }
        const client = await context.client();
        const answer = await client.request<{ VolumesDeleted: string[] | null; SpaceReclaimed: number }>(
          "POST",
          "/volumes/prune",
          { query: { filters: filterQuery([...(options.all === true ? ["all=true"] : []), ...options.filter]) } },
        );
        const names = answer.VolumesDeleted ?? [];
        if (names.length > 0) context.stdout.write(`Deleted Volumes:\n${names.map((name) => `${name}\n`).join("")}\n`);
        context.stdout.write(`Total reclaimed space: ${size(answer.SpaceReclaimed)}\n`);
        return undefined;
      }),
    );
}
