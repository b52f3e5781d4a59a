import { GantryError, isKind } from "#base/core/errors.ts";
import type { Client } from "#client/contract.ts";
import type { ExecInspect } from "#formats/docker/container.ts";
import { collect, environment } from "../container-flags.ts";
import type { Verb } from "../contract.ts";
import { terminalSize } from "../raw-terminal.ts";
import { forwardSignals, pump } from "../session.ts";

interface Options {
  readonly detach?: boolean;
  readonly env: readonly string[];
  readonly envFile: readonly string[];
  readonly interactive?: boolean;
  readonly privileged?: boolean;
  readonly tty?: boolean;
  readonly user?: string;
  readonly workdir?: string;
  readonly detachKeys?: string;
}

/** One that has ended meanwhile hears nothing more. */
async function killExec(client: Client, id: string, signal: string): Promise<void> {
  try {
    await client.request("POST", `/exec/${id}/kill`, { query: { signal } });
  } catch (error) {
    if (!isKind(error, "conflict") && !isKind(error, "not-found")) throw error;
  }
}

export const verb: Verb = {
  declare(command, run) {
    command
      .passThroughOptions()
      .argument("<container>", "name or id")
      .argument("<command...>", "the program and its arguments")
      .option("-d, --detach", "do not wait for it")
      .option("-e, --env <name=value>", "set a variable", collect, [])
      .option("--env-file <file>", "read variables from a file", collect, [])
      .option("-i, --interactive", "give it this terminal's input")
      .option("--privileged", "give it all rights")
      .option("-t, --tty", "give it a terminal")
      .option("-u, --user <user>", "name or id, optionally :group")
      .option("-w, --workdir <folder>", "the folder to start in")
      .option("--detach-keys <keys>", "keys that leave the program running");
    command.action((container: string, words: string[], options: Options) =>
      run(async (context) => {
        const tty = options.tty === true;
        if (tty && options.interactive === true && process.stdin.isTTY !== true) {
          throw new GantryError("invalid", {
            doing: "give the program a terminal",
            because: "the input device is not a TTY",
            next: "Leave -t out when input is a file or a pipe.",
          });
        }
        const client = await context.client();
        const { Id } = await client.request<{ Id: string }>(
          "POST",
          `/containers/${encodeURIComponent(container)}/exec`,
          {
            json: {
              AttachStdin: options.interactive === true && options.detach !== true,
              AttachStdout: options.detach !== true,
              AttachStderr: options.detach !== true,
              Tty: tty,
              Env: environment(options, context.env),
              Cmd: words,
              Privileged: options.privileged === true,
              User: options.user ?? "",
              WorkingDir: options.workdir ?? "",
            },
          },
        );
        if (options.detach === true) {
          await client.request("POST", `/exec/${Id}/start`, { json: { Detach: true, Tty: tty } });
          return undefined;
        }
        {
          const size = tty ? terminalSize() : undefined;
          const console = size === undefined ? {} : { ConsoleSize: [size.rows, size.columns] };
          using connection = await client.hijack(`/exec/${Id}/start`, {
            json: { Detach: false, Tty: tty, ...console },
          });
          // A terminal's own keys arrive as bytes; without one a signal is for the program, not for this process.
          using _signals = tty ? undefined : forwardSignals((signal) => killExec(client, Id, signal));
          const detached = await pump(context, connection, {
            terminal: tty,
            stdin: options.interactive === true,
            detachKeys: options.detachKeys,
            resize: async ({ rows, columns }) => {
              await client.request("POST", `/exec/${Id}/resize`, { query: { h: rows, w: columns } });
            },
          });
          if (detached) return undefined;
        }
        const { ExitCode } = await client.request<ExecInspect>("GET", `/exec/${Id}/json`);
        return ExitCode ?? undefined;
      }),
    );
  },
};
