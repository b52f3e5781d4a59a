import { afterAll, beforeAll, expect, test } from "bun:test";
import { cases } from "../api/all.ts";
import type { Api } from "../api/contract.ts";
import { gantryApi } from "../api/open.ts";
import { sweep } from "../api/sweep.ts";
import { startEngine } from "../support/engine.ts";
import { differences } from "./differences.ts";
import { hasDockerd, startDockerd } from "./dockerd.ts";
import { normalised } from "./normalise.ts";

/** `npm run test:oracle`; the gate runs the same cases against Gantry alone. */
const asked = process.env.GANTRY_ORACLE !== undefined;
const excused = new Set(differences.flatMap((difference) => difference.cases));
const stack = new AsyncDisposableStack();
let docker: Api;
let gantry: Api;

beforeAll(async () => {
  if (!asked) return;
  if (!hasDockerd) throw new Error("dockerd is not here. Run: scripts/setup-clients --oracle");
  docker = stack.use(await startDockerd()).api;
  gantry = gantryApi(stack.use(await startEngine()));
});

afterAll(() => stack.disposeAsync());

async function answer({ run }: (typeof cases)[number], api: Api): Promise<string> {
  try {
    return normalised(await run(api));
  } finally {
    await sweep(api);
  }
}

for (const each of cases) {
  test.skipIf(!asked)(`both: ${each.name}`, async () => {
    const [theirs, ours] = [await answer(each, docker), await answer(each, gantry)];
    // One that has become equal is to leave the list.
    if (excused.has(each.name)) expect(ours).not.toBe(theirs);
    else expect(ours).toBe(theirs);
  });
}

test("every difference that names a case names one that is there", () => {
  const names = new Set(cases.map(({ name }) => name));
  expect([...excused].filter((name) => !names.has(name))).toEqual([]);
});
