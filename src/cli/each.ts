import { describe } from "#base/core/errors.ts";
import type { Context, VerbResult } from "./contract.ts";
import { paint } from "./output/colour.ts";

/** Does one thing to each name, prints what it gives, goes on after a failure and ends with 1 when there was one. */
export async function each(
  context: Context,
  names: readonly string[],
  act: (name: string) => Promise<string | undefined>,
): Promise<VerbResult> {
  let code: VerbResult;
  for (const name of names) {
    try {
      const said = await act(name);
      if (said !== undefined) context.stdout.write(`${said}\n`);
    } catch (error) {
      context.stderr.write(`${paint(context.stderr, "red", "gantry:")} ${describe(error)}\n`);
      code = 1;
    }
  }
  return code;
}
