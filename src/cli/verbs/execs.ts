import type { ExecInspect } from "#formats/docker/container.ts";
import type { Verb } from "../contract.ts";
import { each } from "../each.ts";
import { type Column, renderList } from "../output/list.ts";
import { shortId } from "../output/words.ts";

interface ListFlags {
  readonly all?: boolean;
  readonly format?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const columns: readonly Column<ExecInspect>[] = [
  { title: "EXEC ID", field: "ID", cell: (exec) => shortId(exec.ID) },
  {
    title: "COMMAND",
    field: "Command",
    cell: ({ ProcessConfig }) => [ProcessConfig.entrypoint, ...ProcessConfig.arguments].join(" "),
  },
  {
    title: "STATUS",
    field: "Status",
    cell: (exec) => (exec.Running ? "Running" : exec.ExitCode === null ? "Created" : `Exited (${exec.ExitCode})`),
  },
  { title: "PID", field: "Pid", cell: (exec) => String(exec.Pid || "") },
];

/** Programs beside a container's own, which Docker starts and then has no verb for. */
export const verb: Verb = {
  declare(command, run) {
    command
      .command("ls", { isDefault: true })
      .description("Show the programs running beside a container's own")
      .argument("<container>")
      .option("-a, --all", "those that ended too")
      .option("--format <format>", "json, table, or a template like {{.ID}}")
      .option("--json", "one JSON object a line")
      .option("-q, --quiet", "ids only")
      .action((container: string, options: ListFlags) =>
        run(async (context) => {
          const client = await context.client();
          const all = await client.request<ExecInspect[]>("GET", `/containers/${encodeURIComponent(container)}/execs`);
          const shown = all.filter(({ Running }) => Running || options.all === true);
          context.stdout.write(renderList(shown, columns, options, ({ ID }) => ID));
          return undefined;
        }),
      );
    command
      .command("kill")
      .description("Send a signal to programs started by exec")
      .argument("<exec...>", "ids, as `execs ls -q` gives them")
      .option("-s, --signal <signal>", "the signal", "SIGKILL")
      .action((ids: string[], { signal }: { signal: string }) =>
        run(async (context) => {
          const client = await context.client();
          return each(context, ids, async (id) => {
            await client.request("POST", `/exec/${encodeURIComponent(id)}/kill`, { query: { signal } });
            return id;
          });
        }),
      );
  },
};
