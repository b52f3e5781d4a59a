import { alternate, timed } from "../alternate.ts";
import type { ApiEngine, Bench, Case } from "../contract.ts";

/** The whole life of one container through the Docker API; the same script whoever serves it. */
async function life({ api, image }: ApiEngine): Promise<void> {
  const container = await api.createContainer({ Image: image, Cmd: ["true"] });
  await container.start();
  const { StatusCode } = (await container.wait()) as { StatusCode: number };
  await container.remove();
  if (StatusCode !== 0) throw new Error(`the container ended with ${StatusCode}`);
}

const engines = async (bench: Bench) => [await bench.gantry(), await bench.docker()];

export const oneLife: Case = {
  name: "api",
  async measure(bench) {
    const contenders = (await engines(bench)).map((engine) => [engine.name, () => timed(() => life(engine))] as const);
    return [
      {
        work: "create, start, wait and remove through the API, default network",
        unit: "ms",
        samples: await alternate(bench.runs, new Map(contenders)),
        bars: [{ kind: "at-most", value: 60, yardstick: true }],
      },
    ];
  },
};

const starts = 40;
const atOnce = 8;

async function startsPerSecond(engine: ApiEngine): Promise<number> {
  let left = starts;
  const lane = async () => {
    while (left-- > 0) await life(engine);
  };
  const milliseconds = await timed(() => Promise.all(Array.from({ length: atOnce }, lane)));
  return (starts / milliseconds) * 1000;
}

export const manyStarts: Case = {
  name: "parallel",
  async measure(bench) {
    const contenders = (await engines(bench)).map((engine) => [engine.name, () => startsPerSecond(engine)] as const);
    const rounds = Math.max(1, Math.round(bench.runs / 5));
    return [
      {
        work: "40 lives of a container, 8 at a time, through the API",
        unit: "per s",
        samples: await alternate(rounds, new Map(contenders)),
        bars: [{ kind: "ratio-at-least", rival: "docker", value: 6 }],
      },
    ];
  },
};
