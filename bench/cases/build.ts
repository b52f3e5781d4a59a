import { join } from "node:path";
import { alternate } from "../alternate.ts";
import { run } from "../command.ts";
import type { Builder, Case } from "../contract.ts";
import { changeOneLine, writeContext } from "../material/context.ts";

export const build: Case = {
  name: "build",
  async measure(bench) {
    const builders = await bench.builders();
    const folder = (builder: Builder) => join(bench.scratch, "context", builder.name);
    for (const builder of builders) writeContext(folder(builder), "busybox");
    const rounds = Math.max(2, Math.round(bench.runs / 2));
    const samples = (change: boolean, cold: boolean) =>
      alternate(
        rounds,
        new Map(
          builders.map((builder) => [
            builder.name,
            async (round) => {
              if (change) changeOneLine(folder(builder), `round ${round}`);
              return (await run(builder.build(folder(builder), "built", cold))).milliseconds;
            },
          ]),
        ),
      );
    return [
      { work: "build of 7 steps, no cache", unit: "ms", samples: await samples(false, true), bars: [] },
      { work: "the same build again, nothing changed", unit: "ms", samples: await samples(false, false), bars: [] },
      {
        work: "the same build, one line of one file changed",
        unit: "ms",
        samples: await samples(true, false),
        bars: [],
      },
    ];
  },
};
