import { Command } from "commander";
import type { Context, VerbResult } from "./contract.ts";
import type { VerbEntry } from "./verbs.ts";

/** Loads a verb and gives its commander declaration; its action hands what it wants done to `run`. */
export async function declareVerb(
  entry: VerbEntry,
  run: (act: (context: Context) => Promise<VerbResult>) => Promise<void>,
): Promise<Command> {
  const { verb } = await entry.load();
  const command = new Command(`gantry ${entry.name}`).description(entry.summary);
  verb.declare(command, run);
  return command;
}
