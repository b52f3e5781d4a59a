import type { Verb } from "../contract.ts";
export const verb: Verb = { declare: () => undefined };
