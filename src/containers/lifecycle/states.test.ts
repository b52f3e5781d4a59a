import { expect, test } from "bun:test";
import { isKind } from "#base/core/errors.ts";
import type { ContainerRecord, Status } from "./contract.ts";
import { rule, rulings, verbs } from "./states.ts";

const statuses = Object.keys(rulings) as Status[];

/** One letter a verb, in the order of `verbs`: d do, n nothing to do, r refused. */
const expected: Readonly<Record<Status, string>> = {
  created: "dnrrrddrdrdddr",
  running: "ndddrdrddddddd",
  paused: "rddrddrdrrdddd",
  restarting: "nddrrdrrrrdddr",
  exited: "dnrrrddrdrdddr",
  removing: "rnrrrrdrrrdrrr",
};

test.each(statuses)("a container that is %s answers every verb", (status) => {
  const letters = verbs.map((verb) => {
    try {
      return rule({ name: "box", state: { status } } as ContainerRecord, verb) ? "d" : "n";
    } catch (error) {
      expect(isKind(error, "conflict")).toBe(true);
      expect(String(error)).toContain(`Cannot ${verb} the container "box": it is`);
      return "r";
    }
  });
  expect(letters.join("")).toBe(expected[status]);
});
