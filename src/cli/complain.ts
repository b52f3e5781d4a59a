import { describe, GantryError, isKind } from "#base/core/errors.ts";
import type { Context } from "./contract.ts";
import { paint } from "./output/colour.ts";

/** Docker's exit codes of `run`: 125 the engine, 126 not executable, 127 no such program. */
export const engineFailed = 125;

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
