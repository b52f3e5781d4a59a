import type Docker from "dockerode";
import { alternate, timed } from "../alternate.ts";
import type { ApiEngine, Bench, Case } from "../contract.ts";
import { throwIfInterrupted } from "../interruption.ts";

const engines = async (bench: Bench) => [await bench.gantry(), await bench.docker()];

/** The same work in a running container of each engine. */
async function inContainers(
  bench: Bench,
  command: readonly string[],
  work: (container: Docker.Container) => Promise<number>,
): Promise<Map<string, number[]>> {
  const held: { engine: ApiEngine; container: Docker.Container }[] = [];
  try {
    for (const engine of await engines(bench)) {
      const container = await engine.api.createContainer({ Image: engine.image, Cmd: [...command] });
      held.push({ engine, container });
      await container.start();
    }
    return await alternate(
      bench.runs,
      new Map(held.map(({ engine, container }) => [engine.name, () => work(container)] as const)),
    );
  } finally {
    for (const { container } of held) await container.remove({ force: true });
  }
}

async function execOnce(container: Docker.Container): Promise<void> {
  const exec = await container.exec({ Cmd: ["true"], AttachStdout: true, AttachStderr: true });
  const stream = await exec.start({ hijack: true, stdin: false });
  stream.resume();
  await new Promise((resolve, reject) => stream.once("end", resolve).once("error", reject));
  const { ExitCode } = await exec.inspect();
  if (ExitCode !== 0) throw new Error(`the exec ended with ${ExitCode}`);
}

export const execByApi: Case = {
  name: "exec-api",
  async measure(bench) {
    const samples = await inContainers(bench, ["sleep", "1000"], (container) => timed(() => execOnce(container)));
    return [
      {
        work: "exec of true through the API",
        unit: "ms",
        samples,
        bars: [{ kind: "ratio-at-most", rival: "docker", value: 0.4 }],
      },
    ];
  },
};

export const statsOnce: Case = {
  name: "stats",
  async measure(bench) {
    const once = (container: Docker.Container) =>
      timed(() => container.stats({ stream: false, "one-shot": true } as { stream: false }));
    return [
      {
        work: "stats of one container, one-shot, through the API",
        unit: "ms",
        samples: await inContainers(bench, ["sleep", "1000"], once),
        bars: [{ kind: "at-most", value: 5, yardstick: true }],
      },
    ];
  },
};

const lines = 200_000;

export const logReading: Case = {
  name: "logs",
  async measure(bench) {
    const command = ["sh", "-c", `yes 'a line of forty characters of some words' | head -n ${lines}`];
    const read = async (container: Docker.Container) => {
      await container.wait();
      let size = 0;
      const took = await timed(async () => {
        size = (await container.logs({ follow: false, stdout: true, stderr: true })).length;
      });
      if (size < lines * 41) throw new Error(`only ${size} bytes of the log came`);
      return (lines / took) * 1000;
    };
    return [
      {
        work: `a log of ${lines} lines read through the API`,
        unit: "per s",
        samples: await inContainers(bench, command, read),
        bars: [{ kind: "at-least", value: 300_000 }],
      },
    ];
  },
};

const ports = 1000;

/** Gantry alone: docker of this Debian starts a process a port. */
export const manyPorts: Case = {
  name: "ports",
  async measure(bench) {
    const { api, image, name } = await bench.gantry();
    const numbers = Array.from({ length: ports }, (_, at) => `${1000 + at}/tcp`);
    const start = async (published: readonly string[]) => {
      const container = await api.createContainer({
        Image: image,
        Cmd: ["sleep", "1000"],
        HostConfig: { PortBindings: Object.fromEntries(published.map((port) => [port, [{ HostIp: "127.0.0.1" }]])) },
      });
      try {
        return await timed(() => container.start());
      } finally {
        await container.remove({ force: true });
      }
    };
    const samples = await alternate(
      bench.runs,
      new Map([
        [name, () => start(numbers)],
        [`${name}, no port`, () => start([])],
      ]),
    );
    return [
      {
        work: `start of a container with ${ports} published ports, through the API`,
        unit: "ms",
        samples,
        bars: [{ kind: "at-most", value: 1000, yardstick: true }],
      },
    ];
  },
};

const burst = 100;

export const startsAtOnce: Case = {
  name: "burst",
  async measure(bench) {
    const { api, image, name } = await bench.gantry();
    const made = await Promise.all(
      Array.from({ length: burst + bench.runs }, () => api.createContainer({ Image: image, Cmd: ["sleep", "1000"] })),
    );
    try {
      const alone: number[] = [];
      for (const container of made.slice(burst)) {
        throwIfInterrupted();
        alone.push(await timed(() => container.start()));
      }
      const began = performance.now();
      const ends = await Promise.all(
        made.slice(0, burst).map(async (container) => {
          await container.start();
          return performance.now() - began;
        }),
      );
      return [
        {
          work: `${burst} starts at once, through the API: when each had answered (all of them), beside single starts`,
          unit: "ms",
          samples: new Map([
            [name, ends],
            [`${name}, one at a time`, alone],
          ]),
          bars: [],
          note: `The 99th of ${burst} answered after ${Math.round(ends.toSorted((a, b) => a - b)[burst - 2]!)} ms.`,
        },
      ];
    } finally {
      await Promise.all(made.map((container) => container.remove({ force: true })));
    }
  },
};
