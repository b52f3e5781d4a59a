import { expect, test } from "bun:test";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { unmount } from "#base/system/mounts/mount.ts";
import { readMountTable } from "#base/system/mounts/table.ts";
import { busyboxScene, type Scene } from "#containers/runtime/testing/busybox-root.ts";
import { planAdoption } from "./adoption.ts";
import { findConmon } from "./conmon.ts";
import type { ContainerRecord, ContainerState, LogLine } from "./contract.ts";
import { openScene } from "./testing/scene.ts";

const engineFile = join(import.meta.dir, "testing/engine.ts");

/** An engine in a process of its own; resolves with its words when it says `until`, or died. */
async function engine(base: Scene, nth: number, script: string, until: string) {
  const child = Bun.spawn([process.execPath, engineFile, base.folder, base.rootfs, String(nth), script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  for await (const bytes of child.stdout) {
    text += Buffer.from(bytes).toString();
    if (text.includes(`${until}\n`)) break;
  }
  const kill = async () => {
    child.kill("SIGKILL");
    await child.exited;
  };
  return { text, kill, died: child.signalCode !== null };
}

async function logText(logs: AsyncIterable<readonly LogLine[]>): Promise<string> {
  let text = "";
  for await (const lines of logs) for (const line of lines) text += Buffer.from(line.bytes).toString();
  return text;
}

test("kill -9 of the engine stops no container and loses no exit code and no line", async () => {
  const base = busyboxScene();
  const script = JSON.stringify({
    lives: "i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done",
    dies: "sleep 0.3; echo last words; exit 42",
  });
  const first = await engine(base, 0, script, "started");
  await first.kill();
  // Ends while no engine lives.
  const exits = join(base.folder, "run/exits");
  for (let i = 0; i < 400 && readdirSync(exits).length === 0; i += 1) await Bun.sleep(5);
  await using scene = openScene({ base });
  const { containers } = scene;
  expect(await containers.adopt()).toEqual({ running: 1, exited: 1, unknown: 0, removed: 0 });
  expect(containers.get("dies").state).toMatchObject({ status: "exited", exitCode: 42 });
  expect(await logText(containers.logs("dies"))).toBe("last words\n");
  expect(containers.get("lives").state.status).toBe("running");
  await using client = await containers.attach("lives", { stdout: true });
  const piece = await client.output[Symbol.asyncIterator]().next();
  expect(piece.done).toBe(false);
  const exec = await containers.execs.create("lives", { process: { args: ["true"] } });
  await containers.execs.start(exec.id, { attach: false });
  expect(await containers.execs.wait(exec.id)).toEqual({ exitCode: 0 });
  const end = containers.wait("lives", "next-exit");
  await containers.kill("lives");
  expect(await end).toEqual({ exitCode: 137 });
  const numbers = (await logText(containers.logs("lives"))).trim().split("\n").map(Number);
  expect(numbers).toEqual(numbers.map((_number, at) => at + 1));
}, 20_000);

test("killed at every write of a container's life, the next engine finds old or new and can finish", async () => {
  const points: string[] = [];
  for (let nth = 1; ; nth += 1) {
    const base = busyboxScene();
    const first = await engine(base, nth, "whole-life", "finished");
    await first.kill();
    await using scene = openScene({ base });
    await scene.containers.adopt();
    points.push(first.text.trim().split("\n").at(-1) ?? "");
    for (const record of scene.containers.list()) {
      expect(record.name).toBe("one");
      const end = scene.containers.wait(record.id, "not-running");
      // The program ends by itself: whatever was running becomes 7, whatever was told stays.
      if (scene.containers.get(record.id).state.status === "running") expect((await end).exitCode).toBe(7);
      const { state } = scene.containers.get(record.id);
      if (state.status === "exited") expect([7, 137]).toContain(state.exitCode);
      if (first.text.includes("exit 7") && state.status === "exited") expect(state.exitCode).toBe(7);
      await scene.containers.remove(record.id, { force: true });
    }
    expect(readdirSync(join(base.folder, "run/containers"))).toEqual([]);
    expect(readdirSync(join(base.folder, "run/crun"))).toEqual([]);
    expect(readMountTable().filter((mount) => mount.mountPoint.startsWith(base.folder))).toEqual([]);
    if (first.text.includes("finished")) break;
  }
  expect(points.length).toBeGreaterThan(8);
}, 60_000);

test("after a reboot (run folder, mounts and processes gone) what ran is exited, unknown, and starts again", async () => {
  const base = busyboxScene();
  const first = await engine(base, 0, JSON.stringify({ lives: "echo up; sleep 1000" }), "started");
  const run = join(base.folder, "run/containers");
  const id = readdirSync(run)[0]!;
  await first.kill();
  const pid = Number(readFileSync(join(run, id, "pid"), "utf8"));
  process.kill(findConmon(join(run, id, "conmon.pid"), id)!, "SIGKILL");
  process.kill(pid, "SIGKILL");
  unmount(join(run, id, "rootfs"), { lazy: true });
  for (let i = 0; i < 200 && Bun.spawnSync(["sh", "-c", `rmdir /sys/fs/cgroup/*/${id}`]).exitCode !== 0; i += 1)
    await Bun.sleep(5);
  rmSync(join(base.folder, "run"), { recursive: true });
  await using scene = openScene({ base });
  expect(await scene.containers.adopt()).toEqual({ running: 0, exited: 0, unknown: 1, removed: 0 });
  const { state } = scene.containers.get("lives");
  expect(state).toMatchObject({ status: "exited", exitCode: 137 });
  expect(state.status === "exited" && state.error).toContain("exit code is not known");
  expect(await logText(scene.containers.logs("lives"))).toBe("up\n");
  await scene.containers.start("lives");
  expect(scene.containers.get("lives").state.status).toBe("running");
}, 20_000);

test("a conmon that is killed: the container ends as unknown, and nothing of it runs on", async () => {
  await using scene = openScene();
  const id = await scene.create(["sleep", "1000"]);
  const end = scene.containers.wait(id, "next-exit");
  await scene.containers.start(id);
  const run = join(scene.base.folder, "run/containers", id);
  const { state } = scene.containers.get(id);
  process.kill(findConmon(join(run, "conmon.pid"), id)!, "SIGKILL");
  expect(await end).toMatchObject({ exitCode: 137, error: expect.stringContaining("conmon ended") });
  await scene.containers.remove(id);
  // Gone, or waiting for whoever inherited it to take notice.
  const left = Bun.spawnSync(["cat", `/proc/${state.status === "running" ? state.pid : 0}/stat`]).stdout.toString();
  expect(left.split(" ")[2] ?? "Z").toBe("Z");
}, 10_000);

const running: ContainerState = { status: "running", pid: 5, startedAt: 1 };
const paused: ContainerState = { ...running, status: "paused" };
const exit = { exitCode: 0, startedAt: 1, finishedAt: 2, oomKilled: false };
const states: readonly ContainerState[] = [
  { status: "created" },
  running,
  paused,
  { status: "exited", ...exit },
  { status: "restarting", again: 3, ...exit },
  { status: "removing", last: exit },
];

test("the plan for every state against what is on disk", () => {
  const seen = {
    nothing: { conmon: false, started: false, remains: false },
    alive: { conmon: true, started: true, pid: 5, remains: true },
    ended: { conmon: false, started: true, pid: 5, exitCode: 3, remains: true },
    "half made": { conmon: true, started: false, pid: 5, remains: true },
    "only files": { conmon: false, started: false, remains: true },
  };
  const record = (state: ContainerState, more: object = {}) => ({ state, config: {}, ...more }) as ContainerRecord;
  const kinds = states.map((state) => Object.values(seen).map((facts) => planAdoption(record(state), facts).kind));
  expect(kinds).toEqual([
    ["leave", "watch", "record-exit", "take-back", "take-back"],
    ["record-exit", "watch", "record-exit", "record-exit", "record-exit"],
    ["record-exit", "watch", "record-exit", "record-exit", "record-exit"],
    ["leave", "watch", "record-exit", "take-back", "take-back"],
    ["restart", "watch", "record-exit", "restart", "restart"],
    ["go-on-removing", "go-on-removing", "go-on-removing", "go-on-removing", "go-on-removing"],
  ]);
});

test("an engine that starts brings back always, and unless-stopped that nobody stopped", () => {
  const nothing = { conmon: false, started: false, remains: false };
  const plan = (name: string, stoppedByUser: boolean, status: "created" | "exited") =>
    planAdoption(
      { state: { status, ...exit }, config: { restart: { name } }, stoppedByUser } as unknown as ContainerRecord,
      nothing,
    ).kind;
  expect(plan("always", true, "exited")).toBe("restart");
  expect(plan("unless-stopped", false, "exited")).toBe("restart");
  expect(plan("unless-stopped", true, "exited")).toBe("leave");
  expect(plan("on-failure", false, "exited")).toBe("leave");
  expect(plan("always", false, "created")).toBe("leave");
});
