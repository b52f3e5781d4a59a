import { isKind } from "#base/core/errors.ts";
import type { Client } from "#client/contract.ts";
import { jsonLines } from "#client/demultiplex.ts";
import type { ContainerInspect, ContainerSummary } from "#formats/docker/container.ts";
import type { EventMessage } from "#formats/docker/contract.ts";
import type { Context, Verb } from "../contract.ts";
import { renderList } from "../output/list.ts";
import { columns, type Reading, type Row } from "../stats-row.ts";

interface Options {
  readonly all?: boolean;
  readonly format?: string;
  readonly json?: boolean;
  readonly stream: boolean;
  readonly trunc: boolean;
}

const redrawMilliseconds = 500;

export const verb: Verb = {
  declare(command, run) {
    command
      .argument("[container...]", "names or ids; all that run when left out")
      .option("-a, --all", "those that do not run too")
      .option("--format <format>", "json, table, or a template like {{.CPUPerc}}")
      .option("--json", "one JSON object a line")
      .option("--no-stream", "show it once")
      .option("--no-trunc", "whole ids");
    command.action((names: string[], options: Options) =>
      run(async (context) => {
        const client = await context.client();
        const rows = await findRows(client, names, options);
        if (!options.stream) {
          await Promise.all([...rows.values()].map((row) => follow(client, row, 2, undefined)));
          context.stdout.write(rendered(rows, options));
          return undefined;
        }
        await watch(context, client, rows, names.length > 0, options);
        return undefined;
      }),
    );
  },
};

function rendered(rows: ReadonlyMap<string, Row>, options: Options): string {
  return renderList([...rows.values()], columns(options.trunc), options, (row) => row.id);
}

/** By id, in the order asked for. Error "not-found". */
async function findRows(client: Client, names: readonly string[], options: Options): Promise<Map<string, Row>> {
  const rows = new Map<string, Row>();
  if (names.length > 0) {
    for (const asked of names) {
      const found = await client.request<ContainerInspect>("GET", `/containers/${encodeURIComponent(asked)}/json`);
      const name = found.Name.replace(/^\//, "");
      rows.set(found.Id, { id: found.Id, name, asked, running: found.State.Running, reading: undefined });
    }
    return rows;
  }
  const list = await client.request<ContainerSummary[]>("GET", "/containers/json", { query: { all: options.all } });
  for (const { Id, Names, State } of list) {
    const name = (Names[0] ?? Id).replace(/^\//, "");
    rows.set(Id, { id: Id, name, asked: name, running: State === "running" || State === "paused", reading: undefined });
  }
  return rows;
}

/**
 * Puts each reading into the row until the container ends or `most` have come. The first says nothing of the
 * processor, as that is the difference between two.
 */
async function follow(client: Client, row: Row, most: number, signal: AbortSignal | undefined): Promise<void> {
  if (!row.running) return;
  const enough = new AbortController();
  const either = signal === undefined ? enough.signal : AbortSignal.any([signal, enough.signal]);
  try {
    const stream = await client.stream("GET", `/containers/${row.id}/stats`, { query: { stream: 1 }, signal: either });
    let count = 0;
    for await (const reading of jsonLines<Reading>(stream)) {
      row.reading = reading;
      count += 1;
      if (count >= most) break;
    }
  } catch (error) {
    if (isKind(error, "unsupported")) throw error;
    // It ended or was removed between two readings; its row then says so.
    row.reading = undefined;
  } finally {
    enough.abort();
  }
  if (most === Number.POSITIVE_INFINITY) row.reading = undefined;
}

/** Redraws until interrupted; without names, containers come and go as they start and end. */
async function watch(
  context: Context,
  client: Client,
  rows: Map<string, Row>,
  named: boolean,
  options: Options,
): Promise<void> {
  const stop = new AbortController();
  const start = async (row: Row) => {
    await follow(client, row, Number.POSITIVE_INFINITY, stop.signal);
    row.running = false;
    if (!named && options.all !== true) rows.delete(row.id);
  };
  const draw = () => {
    const home = context.stdout.isTerminal ? "\x1b[H\x1b[J" : "";
    context.stdout.write(`${home}${rendered(rows, options)}`);
  };
  const following = Promise.all([...rows.values()].map(start));
  const refused = Promise.withResolvers<never>();
  following.catch(refused.reject);
  const timer = setInterval(draw, context.stdout.isTerminal ? redrawMilliseconds : 2 * redrawMilliseconds);
  try {
    if (named) await following;
    else await Promise.race([followNew(client, rows, (row) => void start(row).catch(refused.reject)), refused.promise]);
    draw();
  } finally {
    clearInterval(timer);
    stop.abort();
  }
}

async function followNew(client: Client, rows: Map<string, Row>, start: (row: Row) => void): Promise<void> {
  const events = await client.stream("GET", "/events", {
    query: { filters: JSON.stringify({ type: ["container"], event: ["start"] }) },
  });
  for await (const { Actor } of jsonLines<EventMessage>(events)) {
    if (rows.get(Actor.ID)?.running === true) continue;
    const name = Actor.Attributes.name ?? Actor.ID;
    const row: Row = { id: Actor.ID, name, asked: name, running: true, reading: undefined };
    rows.set(Actor.ID, row);
    start(row);
  }
}
