import { existsSync } from "node:fs";
import { GantryError } from "#base/core/errors.ts";
import type { Verb } from "../contract.ts";
import { showProgress } from "../transfer.ts";

export const verb: Verb = {
  declare(command, run) {
    command
      .option("-i, --input <file>", "the archive; standard input when left out")
      .option("-q, --quiet", "no progress")
      .option("--platform <platform>", "only this platform of an image for several");
    command.action((options: { input?: string; quiet?: boolean; platform?: string }) =>
      run(async (context) => {
        if (options.input === undefined && process.stdin.isTTY === true) {
          throw new GantryError("invalid", {
            doing: "load images",
            because: "there is no archive on standard input",
            next: "Name one: gantry load -i FILE",
          });
        }
        if (options.input !== undefined && !existsSync(options.input)) {
          throw new GantryError("not-found", {
            doing: "load images from",
            on: options.input,
            because: "there is no such file",
          });
        }
        const body = (options.input === undefined ? Bun.stdin : Bun.file(options.input)).stream();
        const client = await context.client();
        const lines = await client.stream("POST", "/images/load", {
          body,
          // As docker: bars that move are for a terminal.
          query: { quiet: options.quiet === true || !context.stdout.isTerminal, platform: options.platform },
          headers: { "Content-Type": "application/x-tar" },
        });
        await showProgress(lines, context.stdout, "load images from", options.input ?? "standard input");
        return undefined;
      }),
    );
  },
};
