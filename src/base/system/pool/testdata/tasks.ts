import { task } from "../contract.ts";

export const double = task<number, number>("test.double");
export const fail = task<string, never>("test.fail");
export const die = task<undefined, never>("test.die");
export const spin = task<{ readonly started: boolean }, string>("test.spin");
export const late = task<string, string>("test.late");
