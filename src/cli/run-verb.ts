import { type Command, CommanderError } from "commander";
import { GantryError } from "#base/core/errors.ts";
import type { Context, VerbResult } from "./contract.ts";
import { declareVerb } from "./declare-verb.ts";
import type { VerbEntry } from "./verbs.ts";

/** Parses the words behind a verb and runs it; gives the exit code. */
export async function runVerb(context: Context, entry: VerbEntry, words: readonly string[]): Promise<number> {
  let result: VerbResult;
  const command = await declareVerb(entry, async (act) => {
    result = await act(context);
  });
  quietExit(command, context);
  try {
    await command.parseAsync([...words], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    throw new GantryError("invalid", {
      doing: "read the command line",
      because: error.message.replace(/^error: /, ""),
      next: `See 'gantry ${entry.name} --help'.`,
      details: { usage: true },
    });
  }
  return result ?? 0;
}

/** Commander must neither exit nor print errors by itself; nested commands too. */
function quietExit(command: Command, context: Context): void {
  command.exitOverride();
  command.configureOutput({
    writeOut: (text) => context.stdout.write(text),
    writeErr: () => undefined,
  });
  for (const inner of command.commands) quietExit(inner as Command, context);
}
