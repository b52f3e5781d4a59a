import { describe, GantryError, isKind } from "#base/core/errors.ts";
import { EngineRefusal } from "#client/failure.ts";
import type { Context } from "./contract.ts";
import { paint } from "./output/colour.ts";

/** Docker's exit codes of `run`: 125 the engine, 126 not executable, 127 no such program. */
export const engineFailed = 125;

/** 127 or 126 when the engine says that the program is not there or not to be run; undefined for all else. */
function notRun(error: unknown): 126 | 127 | undefined {
  if (!(error instanceof EngineRefusal)) return undefined;
  if (/executable file .*not found|no such file or directory/i.test(error.message)) return 127;
  return /permission denied/i.test(error.message) ? 126 : undefined;
}

/** Prints what went wrong and gives the exit code. */
export function complain(context: Context, error: unknown): number {
  if (isKind(error, "cancelled")) return 130;
  const label = paint(context.stderr, "red", "gantry:");
  const message = describe(error);
  context.stderr.write(`${label} ${message}\n`);
  if (!(error instanceof GantryError) || error.kind === "internal") {
    const stack = error instanceof Error ? error.stack : undefined;
    if (context.env.GANTRY_DEBUG !== undefined && stack !== undefined) context.stderr.write(`${stack}\n`);
    else
      context.stderr.write(
        "This looks like a fault in Gantry itself; 'gantry doctor --report' collects what a bug report needs.\n",
      );
  }
  return error instanceof GantryError && error.parts.details?.usage === true ? 2 : 1;
}
