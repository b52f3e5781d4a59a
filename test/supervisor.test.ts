import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startEngine, type TestEngine } from "./support/engine.ts";

/** Its own processes: those that name its run folder. */
function supervisors(engine: TestEngine): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        return words.includes("gantry-supervisor") && words.includes(engine.folder);
      } catch {
        return false; // It ended meanwhile.
      }
    })
    .map(Number);
}

/** Asks the socket only: any verb would start the engine itself. */
async function isUp(engine: TestEngine): Promise<boolean> {
  try {
    return (await fetch("http://x/_ping", { unix: engine.socket })).ok;
  } catch {
    return false; // Nobody there yet.
  }
}

test("killed, a supervised engine is back in a second with names, health and policies; stopped, it stays away", async () => {
  await using engine = await startEngine();
  const { out } = await engine.gantry("engine", "install");
  expect(out).toContain("supervisor");
  await engine.ok("network", "create", "shop");
  const health = ["--health-cmd", "test -e /ok", "--health-interval", "100ms"];
  await engine.ok(
    "run",
    "-d",
    "--name",
    "web",
    "--network",
    "shop",
    ...health,
    "busybox",
    "sh",
    "-c",
    "touch /ok; exec sleep 1000",
  );
  await engine.ok("run", "-d", "--name", "again", "--restart", "always", "busybox", "sleep", "1000");
  const times: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const pid = await engine.pid();
    const began = performance.now();
    process.kill(pid, "SIGKILL");
    while (existsSync(`/proc/${pid}/stat`) && (await isUp(engine))) await Bun.sleep(2);
    while (!(await isUp(engine))) await Bun.sleep(5);
    times.push(performance.now() - began);
    expect(await engine.pid()).not.toBe(pid);
  }
  expect(supervisors(engine).length).toBeGreaterThan(0);
  // Names are answered, health is asked for, a policy holds: all without a verb that started anything.
  const asked = await engine.ok("run", "--rm", "--network", "shop", "busybox", "nslookup", "web");
  expect(asked).toMatch(/Address: 10\./);
  while ((await engine.ok("inspect", "web", "--format", "{{.State.Health.Status}}")) !== "healthy") await Bun.sleep(20);
  const started = await engine.ok("inspect", "again", "--format", "{{.State.StartedAt}}");
  process.kill(Number(await engine.ok("inspect", "again", "--format", "{{.State.Pid}}")), "SIGKILL");
  while ((await engine.ok("inspect", "again", "--format", "{{.State.StartedAt}}")) === started) await Bun.sleep(20);
  console.log(`back after ${times.map((time) => Math.round(time)).join(", ")} ms`);
  await engine.ok("engine", "stop");
  while (supervisors(engine).length > 0) await Bun.sleep(10);
  expect(await isUp(engine)).toBe(false);
  await engine.ok("engine", "start");
  while (supervisors(engine).length === 0) await Bun.sleep(10);
  expect(existsSync(join(engine.folder, "data/supervised"))).toBe(true);
}, 60_000);
