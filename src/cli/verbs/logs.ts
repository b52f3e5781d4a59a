import { demultiplex } from "#client/demultiplex.ts";
import type { ContainerInspect } from "#formats/docker/container.ts";
import type { Verb } from "../contract.ts";
import { instantFlag } from "../instant-flag.ts";

interface Options {
  readonly follow?: boolean;
  readonly since?: string;
  readonly until?: string;
  readonly tail: string;
  readonly timestamps?: boolean;
  readonly clear?: boolean;
}

export const verb: Verb = {
  declare(command, run) {
    command
      .argument("<container>", "name or id")
      .option("-f, --follow", "go on as it writes")
      .option("--since <time>", "from a time (2026-01-31T12:00:00) or a span ago (10m)")
      .option("--until <time>", "up to a time or a span ago")
      .option("-n, --tail <lines>", "lines from the end", "all")
      .option("-t, --timestamps", "show when each line was written")
      .option("--clear", "drop what was written so far, and show nothing");
    command.action((name: string, options: Options) =>
      run(async (context) => {
        const client = await context.client();
        const path = `/containers/${encodeURIComponent(name)}`;
        if (options.clear === true) {
          await client.request("POST", `/gantry/v1${path}/logs/clear`);
          return undefined;
        }
        const info = await client.request<ContainerInspect>("GET", `${path}/json`);
        const stream = await client.stream("GET", `${path}/logs`, {
          query: {
            stdout: 1,
            stderr: 1,
            follow: options.follow === true ? 1 : 0,
            since: instantFlag(options.since, "since"),
            until: instantFlag(options.until, "until"),
            tail: options.tail,
            timestamps: options.timestamps === true ? 1 : 0,
          },
        });
        if (info.Config.Tty === true) {
          for await (const bytes of stream) context.stdout.write(bytes);
          return undefined;
        }
        for await (const piece of demultiplex(stream))
          (piece.stream === "stderr" ? context.stderr : context.stdout).write(piece.bytes);
        return undefined;
      }),
    );
  },
};
