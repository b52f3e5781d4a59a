import { jsonLines } from "#client/demultiplex.ts";
import type { EventMessage } from "#formats/docker/contract.ts";
import { collect } from "../container-flags.ts";
import type { Verb } from "../contract.ts";
import { filterQuery } from "../filter-flag.ts";
import { instantFlag } from "../instant-flag.ts";
import { compile } from "../output/template.ts";

interface Options {
  readonly filter: readonly string[];
  readonly format?: string;
  readonly json?: boolean;
  readonly since?: string;
  readonly until?: string;
}

function plain(message: EventMessage): string {
  const attributes = Object.entries(message.Actor.Attributes).map(([name, value]) => `${name}=${value}`);
  const rest = String(message.timeNano % 1e9).padStart(9, "0");
  const when = new Date(message.time * 1000).toISOString().replace(".000Z", `.${rest}Z`);
  return `${when} ${message.Type} ${message.Action} ${message.Actor.ID} (${attributes.join(", ")})`;
}

export const verb: Verb = {
  declare(command, run) {
    command
      .option("-f, --filter <name=value>", "only some", collect, [])
      .option("--format <format>", "json, or a template like {{.Type}}")
      .option("--json", "one JSON object a line")
      .option("--since <time>", "from a time or a span ago on")
      .option("--until <time>", "up to a time or a span ago");
    command.action((options: Options) =>
      run(async (context) => {
        const client = await context.client();
        const stream = await client.stream("GET", "/events", {
          query: {
            since: instantFlag(options.since, "since"),
            until: instantFlag(options.until, "until"),
            filters: filterQuery(options.filter),
          },
        });
        const asJson = options.json === true || options.format === "json";
        const show = asJson ? JSON.stringify : options.format === undefined ? plain : compile(options.format);
        for await (const message of jsonLines<EventMessage>(stream)) context.stdout.write(`${show(message)}\n`);
        return undefined;
      }),
    );
  },
};
