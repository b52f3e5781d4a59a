import { expect, test } from "bun:test";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Containers, LifecycleEvent } from "./contract.ts";
import { openScene } from "./testing/scene.ts";

/** Resolves with the event once `wanted` holds; asked before what brings it about. */
function event(containers: Containers, wanted: (event: LifecycleEvent) => boolean): Promise<LifecycleEvent> {
  return new Promise((resolve) => {
    const listener = containers.onEvent((seen) => {
      if (!wanted(seen)) return;
      listener[Symbol.dispose]();
      resolve(seen);
    });
  });
}

const nth = (action: string, count: number) => {
  let seen = 0;
  return (one: LifecycleEvent) => one.action === action && ++seen === count;
};

test("on-failure runs again up to its bound, counts, and a wait for the end hears of the last one only", async () => {
  await using scene = openScene();
  const { containers } = scene;
  const id = await scene.create(["sh", "-c", "exit 3"], {
    config: { restart: { name: "on-failure", maximumRetries: 2 } },
  });
  const starts: number[] = [];
  using _listener = containers.onEvent(({ action, at }) => action === "start" && starts.push(at));
  const ended = event(containers, nth("die", 3));
  await containers.start(id);
  expect(await containers.wait(id, "not-running")).toEqual({ exitCode: 3 });
  await ended;
  expect(starts.length).toBe(3);
  expect(starts[1]! - starts[0]!).toBeGreaterThanOrEqual(100);
  expect(starts[2]! - starts[1]!).toBeGreaterThanOrEqual(200);
  expect(containers.get(id)).toMatchObject({ restarts: 2, state: { status: "exited", exitCode: 3 } });
});

test("a stop ends an always container for good, also while it waits to run again", async () => {
  await using scene = openScene();
  const { containers } = scene;
  const always = { config: { restart: { name: "always" } } } as const;
  const running = await scene.create(["sh", "-c", 'trap "exit 0" TERM; echo up; while :; do sleep 0.02; done'], always);
  await using client = await containers.attach(running, { stdout: true });
  await containers.start(running);
  for await (const { bytes } of client.output) if (Buffer.from(bytes).includes("up")) break;
  await containers.stop(running);
  expect(containers.get(running)).toMatchObject({ stoppedByUser: true, state: { status: "exited" } });

  const ending = await scene.create(["false"], always);
  // The third wait is 400 ms long: time enough to be met in it.
  const third = event(containers, (seen) => seen.id === ending && nthDie(seen));
  const nthDie = nth("die", 3);
  await containers.start(ending);
  await third;
  const rested = containers.wait(ending, "not-running");
  expect(await containers.stop(ending)).toBe(true);
  expect(await rested).toEqual({ exitCode: 1 });
  expect(containers.get(ending).state.status).toBe("exited");
  await containers.start(ending);
  expect(containers.get(ending).restarts).toBe(0);
  await containers.remove(ending, { force: true });
});

test("a kill with another signal than the stop signal is no stop", async () => {
  await using scene = openScene();
  const { containers } = scene;
  const id = await scene.create(["sh", "-c", "echo up; while :; do sleep 0.02; done"], {
    config: { restart: { name: "always" }, init: true },
  });
  await using client = await containers.attach(id, { stdout: true });
  await containers.start(id);
  for await (const { bytes } of client.output) if (Buffer.from(bytes).includes("up")) break;
  const again = event(containers, nth("start", 1));
  await containers.kill(id, "SIGHUP");
  await again;
  expect(containers.get(id).restarts).toBe(1);
  await containers.kill(id);
  await containers.wait(id, "not-running");
  expect(containers.get(id).state).toMatchObject({ status: "exited", exitCode: 137 });
});

test("a restart that cannot be made is tried again, and works once it can", async () => {
  await using scene = openScene();
  const { containers } = scene;
  const source = join(scene.base.folder, "needed");
  writeFileSync(source, "x");
  const id = await scene.create(["sh", "-c", "exit 1"], {
    config: { restart: { name: "always" }, mounts: [{ type: "bind", source, target: "/needed" }] },
  });
  // Gone before the first end is answered: the next start fails.
  using _listener = containers.onEvent(({ action }) => {
    if (action === "start" && existsSync(source)) rmSync(source);
  });
  await containers.start(id);
  const failed = Promise.withResolvers<void>();
  const watch = setInterval(() => {
    const { state } = containers.get(id);
    if (state.status === "restarting" && state.error !== undefined) failed.resolve();
  }, 5);
  await failed.promise;
  clearInterval(watch);
  const again = event(containers, nth("start", 1));
  writeFileSync(source, "x");
  await again;
  await containers.remove(id, { force: true });
});

test("a health check turns healthy, then unhealthy, and brings about what was wished", async () => {
  await using scene = openScene();
  const { containers } = scene;
  const actions: string[] = [];
  using _listener = containers.onEvent(({ action }) => actions.push(action));
  const id = await scene.create(["sh", "-c", 'trap "exit 0" TERM; touch /ok; while :; do sleep 0.02; done'], {
    config: {
      health: { test: ["sh", "-c", "test -e /ok && echo well"], interval: 30, retries: 2, onFailure: "restart" },
    },
  });
  const healthy = event(containers, nth("health_status: healthy", 1));
  await containers.start(id);
  await healthy;
  expect(containers.get(id).health).toMatchObject({ status: "healthy", probes: [{ exitCode: 0, output: "well\n" }] });
  const again = event(containers, nth("health_status: healthy", 1));
  const exec = await containers.execs.create(id, { process: { args: ["rm", "/ok"] } });
  await containers.execs.start(exec.id, { attach: false });
  await again;
  expect(actions.filter((action) => action.startsWith("health") || ["start", "die"].includes(action))).toEqual([
    "start",
    "health_status: healthy",
    "health_status: unhealthy",
    "die",
    "start",
    "health_status: healthy",
  ]);
  expect(containers.get(id).restarts).toBe(1);
});

test("a probe that hangs is ended at its time-out and counts as a failure", async () => {
  await using scene = openScene();
  const { containers } = scene;
  const id = await scene.create(["sleep", "1000"], {
    config: { health: { test: ["sleep", "500"], interval: 10, timeout: 50, retries: 1 } },
  });
  const ill = event(containers, nth("health_status: unhealthy", 1));
  await containers.start(id);
  await ill;
  const [probe] = containers.get(id).health!.probes;
  expect(probe).toMatchObject({ exitCode: -1 });
  expect(probe?.output).toContain("exceeded timeout");
  const { processes } = await containers.top(id);
  expect(processes.filter((row) => row.join(" ").includes("sleep 500")).length).toBeLessThanOrEqual(1);
});

test("the next engine restarts what its policy brings back, and leaves what was stopped", async () => {
  const first = openScene();
  const names = { always: { name: "always" }, stopped: { name: "unless-stopped" }, plain: { name: "no" } } as const;
  for (const [name, restart] of Object.entries(names)) {
    const id = await first.create(["sh", "-c", 'trap "exit 0" TERM; while :; do sleep 0.02; done'], {
      name,
      config: { restart },
    });
    await first.containers.start(id);
  }
  await first.containers.stop("stopped");
  await first.containers.stop("always");
  await first.containers[Symbol.asyncDispose]();

  await using second = openScene({ base: first.base });
  const { containers } = second;
  const back = event(containers, (seen) => seen.action === "start" && seen.name === "always");
  await containers.adopt();
  await back;
  expect(containers.get("stopped").state.status).toBe("exited");
  expect(containers.get("plain").state.status).toBe("running");
});
