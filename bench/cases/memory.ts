import { run } from "../command.ts";
import type { ApiEngine, Bench, Case, Engine } from "../contract.ts";
import { throwIfInterrupted } from "../interruption.ts";
import { processesWith, processorTime, proportionalMemory } from "../processes.ts";

const calls = 1000;
const idleSeconds = 10;

export const idleEngine: Case = {
  name: "idle",
  async measure(bench) {
    const engines = [await bench.gantry(), await bench.docker()];
    for (const engine of engines) await callOften(engine);
    await Bun.sleep(3000);
    const memory = new Map<string, number[]>();
    const processor = new Map<string, number[]>();
    for (const engine of engines) {
      throwIfInterrupted();
      const pids = await engine.processes();
      memory.set(engine.name, [proportionalMemory(pids)]);
      const before = processorTime(pids);
      await Bun.sleep(idleSeconds * 1000);
      processor.set(engine.name, [(processorTime(pids) - before) / (idleSeconds * 10)]);
    }
    return [
      {
        work: "PSS of the engine after 1,000 calls and the cases before",
        unit: "MB",
        samples: memory,
        bars: [{ kind: "at-most", value: 90 }],
        note: "docker: dockerd and containerd.",
      },
      {
        work: "processor of the idle engine over 10 s",
        unit: "%",
        samples: processor,
        bars: [{ kind: "at-most", value: 1 }],
      },
    ];
  },
};

async function callOften({ api }: ApiEngine): Promise<void> {
  for (let i = 0; i < calls; i += 4) {
    throwIfInterrupted();
    await api.ping();
    await api.listContainers({ all: true });
    await api.listImages();
    await api.info();
  }
}

const count = 20;

export const idleContainers: Case = {
  name: "containers",
  async measure(bench) {
    const engines: Engine[] = [await bench.gantry(), await bench.docker(), await bench.podman()];
    const samples = new Map<string, number[]>();
    for (const engine of engines) samples.set(engine.name, [await memoryPerContainer(bench, engine)]);
    return [
      {
        work: "PSS per idle container, growth of the engine included, the workload not (20 containers)",
        unit: "MB",
        samples,
        bars: [{ kind: "at-most", value: 1 }],
      },
    ];
  },
};

async function memoryPerContainer(bench: Bench, engine: Engine): Promise<number> {
  const before = proportionalMemory(await engine.processes());
  const ids: string[] = [];
  try {
    for (let i = 0; i < count; i++) {
      throwIfInterrupted();
      ids.push((await run(engine.command("run", "-d", engine.image, "sleep", "1000"))).out);
    }
    await Bun.sleep(3000);
    const growth = proportionalMemory(await engine.processes()) - before;
    const monitors = proportionalMemory([...new Set(ids.flatMap((id) => processesWith(id)))]);
    bench.say(
      `${engine.name}: the engine grew by ${growth.toFixed(2)} MB, the monitors take ${monitors.toFixed(2)} MB`,
    );
    return (Math.max(0, growth) + monitors) / count;
  } finally {
    await run(engine.command(...engine.remove, ...ids));
  }
}
