import { GantryError } from "#base/core/errors.ts";
import { implement } from "../contract.ts";
import { serveTasks } from "../serve.ts";
import { die, double, fail, late, spin } from "./tasks.ts";

serveTasks([
  implement(double, (n) => n * 2),
  implement(fail, (on) => {
    throw new GantryError("corrupt", { doing: "read", on, because: "it is damaged", details: { line: 3 } });
  }),
  implement(die, () => process.exit(3)),
  implement(spin, (_args, context) => {
    context.progress("spinning");
    while (!context.aborted()) Atomics.pause?.();
    context.check();
    return "not reached";
  }),
  implement(late, async (text) => {
    await Promise.resolve();
    return text;
  }),
]);
