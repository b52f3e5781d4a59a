import { GantryError } from "#base/core/errors.ts";
import type { Context } from "./contract.ts";

/** Asks a question on standard error; true for "y" or "yes". Error "invalid": there is nobody to ask. */
export async function confirm(context: Context, question: string): Promise<boolean> {
  context.stderr.write(`${question} [y/N] `);
  let text = "";
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    text += chunk.toString("utf8");
    if (text.includes("\n")) break;
  }
  if (text === "") {
    context.stderr.write("\n");
    throw new GantryError("invalid", {
      doing: "ask before removing",
      because: "standard input is at its end",
      next: "Answer y on standard input, or give --force.",
    });
  }
  return /^y(es)?$/i.test(text.split("\n", 1)[0]!.trim());
}
