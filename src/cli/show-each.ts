import { describe } from "#base/core/errors.ts";
import type { Context, VerbResult } from "./contract.ts";
import { paint } from "./output/colour.ts";
import { compile } from "./output/template.ts";

/** What `inspect` prints: a JSON array, a JSON line each, or a template each; then every failure, and ends with 1. */
export async function showEach(
  context: Context,
  names: readonly string[],
  format: string | undefined,
  find: (name: string) => Promise<unknown>,
): Promise<VerbResult> {
  const show = format === undefined || format === "json" ? JSON.stringify : compile(format);
  const found: unknown[] = [];
  const failures: unknown[] = [];
  for (const name of names) {
    try {
      found.push(await find(name));
    } catch (error) {
      failures.push(error);
    }
  }
  if (format === undefined) context.stdout.write(`${JSON.stringify(found, undefined, 4)}\n`);
  else for (const item of found) context.stdout.write(`${show(item)}\n`);
  for (const error of failures) {
    context.stderr.write(`${paint(context.stderr, "red", "gantry:")} ${describe(error)}\n`);
  }
  return failures.length === 0 ? undefined : 1;
}
