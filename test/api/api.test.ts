import { afterAll, afterEach, beforeAll, test } from "bun:test";
import { startEngine, type TestEngine } from "../support/engine.ts";
import { cases } from "./all.ts";
import type { Api } from "./contract.ts";
import { gantryApi } from "./open.ts";
import { sweep } from "./sweep.ts";

let engine: TestEngine;
let api: Api;

beforeAll(async () => {
  engine = await startEngine();
  api = gantryApi(engine);
});

afterEach(() => sweep(api));

afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

for (const { name, run } of cases) {
  test(name, async () => {
    await run(api);
  });
}
