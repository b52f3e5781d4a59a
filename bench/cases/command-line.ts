import { alternate } from "../alternate.ts";
import { run } from "../command.ts";
import type { Bench, Case, Engine } from "../contract.ts";

const enginesOf = async (bench: Bench): Promise<Engine[]> => [
  await bench.gantry(),
  await bench.docker(),
  await bench.podman(),
];

const contenders = (engines: readonly Engine[], words: (engine: Engine) => readonly string[]) =>
  new Map(
    engines.map((engine) => [engine.name, async () => (await run(engine.command(...words(engine)))).milliseconds]),
  );

export const runTrue: Case = {
  name: "run",
  async measure(bench) {
    const engines = await enginesOf(bench);
    const bridge = await alternate(
      bench.runs,
      contenders(engines, ({ image }) => ["run", "--rm", image, "true"]),
    );
    const none = await alternate(
      bench.runs,
      contenders(engines, ({ image }) => ["run", "--rm", "--network", "none", image, "true"]),
    );
    return [
      {
        work: "run --rm busybox true, from the shell, default network",
        unit: "ms",
        samples: bridge,
        bars: [
          { kind: "ratio-at-most", rival: "docker", value: 0.15 },
          { kind: "ratio-at-most", rival: "podman", value: 0.2 },
        ],
      },
      { work: "run --rm --network none busybox true, from the shell", unit: "ms", samples: none, bars: [] },
    ];
  },
};

export const listing: Case = {
  name: "ps",
  async measure(bench) {
    const samples = await alternate(
      bench.runs,
      contenders(await enginesOf(bench), () => ["ps"]),
    );
    return [{ work: "ps", unit: "ms", samples, bars: [{ kind: "ratio-at-most", rival: "docker", value: 1.2 }] }];
  },
};

export const execTrue: Case = {
  name: "exec",
  async measure(bench) {
    const engines = await enginesOf(bench);
    for (const engine of engines) {
      await run(engine.command("run", "-d", "--name", "exec-bench", engine.image, "sleep", "1000"));
    }
    const samples = await alternate(
      bench.runs,
      contenders(engines, () => ["exec", "exec-bench", "true"]),
    );
    for (const engine of engines) await run(engine.command(...engine.remove, "exec-bench"));
    return [{ work: "exec of true in a running container, from the shell", unit: "ms", samples, bars: [] }];
  },
};
