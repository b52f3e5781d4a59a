import { alternate } from "../alternate.ts";
import type { Case } from "../contract.ts";

export const engineStart: Case = {
  name: "engine",
  async measure(bench) {
    const engines = [await bench.gantry(), await bench.docker()];
    const contenders = engines.map((engine) => [engine.name, () => engine.restart()] as const);
    const samples = await alternate(Math.max(2, Math.round(bench.runs / 4)), new Map(contenders));
    return [{ work: "start of the engine until it answers", unit: "ms", samples, bars: [] }];
  },
};
