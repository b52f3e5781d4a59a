import { GantryError } from "#base/core/errors.ts";

/** "on-failure:3" as the API has it; what names exist the engine says. */
export function restartPolicy(text: string): { Name: string; MaximumRetryCount: number } {
  const match = /^([^:]*)(?::(\d+))?$/.exec(text);
  if (match !== null) return { Name: match[1]!, MaximumRetryCount: Number(match[2] ?? 0) };
  throw new GantryError("invalid", {
    doing: "read --restart",
    on: text,
    because: "maximum retry count must be an integer",
    next: "For example: --restart on-failure:3",
  });
}
