import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startEngine, type TestEngine } from "./support/engine.ts";

/** What can be changed while a container runs. */
let engine: TestEngine;

beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine[Symbol.asyncDispose]());

const get = async (port: string) => {
  try {
    return await (await fetch(`http://127.0.0.1:${port}/`, { proxy: "", signal: AbortSignal.timeout(2000) })).text();
  } catch {
    return undefined; // Nobody answers there, which is what some of these tests want to see.
  }
};

const serve = "mkdir -p /w; echo page > /w/index.html; httpd -p 80 -h /w; echo up; exec sleep 1000";

async function upAndServing(name: string, ...flags: string[]): Promise<void> {
  await engine.ok("run", "-d", "--init", "--name", name, ...flags, "busybox", "sh", "-c", serve);
  while (!(await engine.ok("logs", name)).includes("up")) await Bun.sleep(10);
}

test("ports are published and taken back while the container runs, and hold over a restart", async () => {
  await upAndServing("live");
  const said = await engine.ok("publish", "live", "80");
  const port = /80\/tcp -> 127\.0\.0\.1:(\d+)$/.exec(said)?.[1] ?? "";
  expect(await get(port)).toBe("page\n");
  expect(await engine.ok("port", "live")).toBe(said);
  expect((await engine.client(["docker", "port", "live"])).out.trim()).toBe(said);
  await engine.ok("restart", "-t", "0", "live");
  while ((await engine.ok("logs", "live")).split("up").length < 3) await Bun.sleep(10);
  expect(await get(port)).toBe("page\n");
  const taken = await engine.gantry("publish", "live", `${port}:81`);
  expect(taken.err).toContain(`127.0.0.1:${port}/tcp`);
  await engine.ok("unpublish", "live", "80");
  expect(await get(port)).toBeUndefined();
  expect(await engine.ok("port", "live")).toBe("");
  expect((await engine.gantry("unpublish", "live", "80")).err).toContain("does not publish it");
  await engine.ok("rm", "-f", "live");
});

test("a container is put into networks and taken out of them while it runs", async () => {
  await engine.ok("network", "create", "front");
  await engine.ok("network", "create", "back");
  await upAndServing("member", "--network", "front");
  await engine.ok("network", "connect", "--alias", "shop", "back", "member");
  const ask = ["run", "--rm", "--network", "back", "busybox", "nslookup", "shop"];
  const [, address] = /Address: (10\.\S+)$/m.exec(await engine.ok(...ask)) ?? [];
  expect(await engine.ok("inspect", "member", "--format", "{{.NetworkSettings.Networks.back.IPAddress}}")).toBe(
    address!,
  );
  expect(await engine.ok("exec", "member", "cat", "/etc/hosts")).toContain(`${address}\t`);
  await engine.ok("network", "disconnect", "front", "member");
  expect((await engine.ok("exec", "member", "ip", "addr")).match(/inet 10\./g)).toHaveLength(1);
  expect((await engine.gantry("network", "rm", "back")).err).toContain("active endpoints");
  await engine.ok("rm", "-f", "member");
  await engine.ok("network", "rm", "front", "back");
});

test("limits and restart policy change while the container runs", async () => {
  const id = await engine.ok("run", "-d", "--name", "limited", "-m", "64m", "busybox", "sleep", "1000");
  await engine.client(["docker", "update", "-m", "96m", "--memory-swap", "192m", "--restart", "always", "limited"]);
  await engine.ok("update", "--pids-limit", "40", "limited");
  const read = (controller: string, file: string) =>
    readFileSync(`/sys/fs/cgroup/${controller}/gantry/${id}/${file}`, "utf8").trim();
  expect(read("memory", "memory.limit_in_bytes")).toBe(String(96 * 1024 ** 2));
  expect(read("pids", "pids.max")).toBe("40");
  const shown = JSON.parse(await engine.ok("inspect", "limited")) as { HostConfig: object }[];
  expect(shown[0]!.HostConfig).toMatchObject({
    Memory: 96 * 1024 ** 2,
    PidsLimit: 40,
    RestartPolicy: { Name: "always" },
  });
  expect((await engine.gantry("update", "-m", "1k", "limited")).err).toContain("the least is");
  expect(read("memory", "memory.limit_in_bytes")).toBe(String(96 * 1024 ** 2));
  await engine.ok("rm", "-f", "limited");
});

test("programs started by exec are listed, signalled and stopped", async () => {
  await engine.ok("run", "-d", "--name", "host", "busybox", "sleep", "1000");
  await engine.ok("exec", "-d", "host", "sh", "-c", "trap 'exit 5' TERM; touch /ready; while :; do sleep 0.05; done");
  const [id = ""] = (await engine.ok("execs", "ls", "-q", "host")).split("\n");
  expect(id).toMatch(/^[0-9a-f]{64}$/);
  // Before its trap stands it would die of the signal itself.
  while ((await engine.gantry("exec", "host", "test", "-e", "/ready")).code !== 0) await Bun.sleep(10);
  await engine.ok("execs", "kill", "-s", "TERM", id);
  const state = async () =>
    JSON.parse((await engine.ok("execs", "ls", "-a", "--json", "host")).split("\n")[0]!) as { Status?: string };
  while ((await state()).Status === "Running") await Bun.sleep(10);
  expect((await state()).Status).toBe("Exited (5)");
  expect((await engine.gantry("execs", "kill", id)).err).toContain("not running");
  await engine.ok("rm", "-f", "host");
});

test("a folder and a volume are mounted while the container runs, hold over a restart, and are taken away", async () => {
  const folder = join(engine.folder, "late");
  mkdirSync(folder);
  writeFileSync(join(folder, "file"), "late\n");
  await engine.ok("run", "-d", "--name", "mounted", "--stop-timeout", "0", "busybox", "sleep", "1000");
  await engine.ok("mount", "mounted", `${folder}:/data/late:ro`, "named:/kept");
  expect(await engine.ok("exec", "mounted", "cat", "/data/late/file")).toBe("late");
  expect((await engine.gantry("exec", "mounted", "touch", "/data/late/x")).err).toContain("Read-only file system");
  await engine.ok("exec", "mounted", "sh", "-c", "echo saved > /kept/file");
  expect(await engine.ok("inspect", "mounted", "--format", "{{json .Mounts}}")).toContain('"Destination":"/data/late"');
  expect((await engine.gantry("mount", "mounted", `${folder}:/kept`)).err).toContain("has a mount there");
  expect((await engine.gantry("mount", "mounted", `${folder}:/proc/x`)).code).not.toBe(0);
  expect((await engine.gantry("volume", "rm", "named")).err).toContain("in use");
  await engine.ok("restart", "mounted");
  expect(await engine.ok("exec", "mounted", "cat", "/data/late/file", "/kept/file")).toBe("late\nsaved");
  await engine.ok("unmount", "mounted", "/data/late");
  expect((await engine.gantry("exec", "mounted", "cat", "/data/late/file")).code).toBe(1);
  expect((await engine.gantry("unmount", "mounted", "/data/late")).err).toContain("has none there");
  await engine.ok("rm", "-f", "mounted");
});

test("a link inside the container leads no live mount out of it", async () => {
  const canary = join(engine.folder, "canary");
  mkdirSync(canary);
  await engine.ok("run", "-d", "--name", "linked", "busybox", "sleep", "1000");
  await engine.ok("exec", "linked", "sh", "-c", `mkdir -p ${canary}; ln -s ${canary} /way`);
  await engine.ok("mount", "linked", "named:/way/out");
  expect(readdirSync(canary)).toEqual([]);
  expect(await engine.ok("exec", "linked", "cat", `${canary}/out/file`)).toBe("saved");
  await engine.ok("rm", "-f", "linked");
});

test("a container with a list of ways out reaches what is on it and nothing else", async () => {
  await engine.ok("network", "create", "outer");
  await upAndServing("goal", "--network", "outer");
  const address = await engine.ok("inspect", "goal", "--format", "{{.NetworkSettings.Networks.outer.Gateway}}");
  await engine.ok("publish", "goal", `${address}:18077:80`);
  const reaches = async (...flags: string[]) => {
    const script = `nc -w 2 ${address} 18077 </dev/null && echo reached || echo refused`;
    return await engine.ok("run", "--rm", ...flags, "busybox", "sh", "-c", script);
  };
  // By the host's address, which is outside for a container of another network.
  expect(await reaches()).toBe("reached");
  expect(await reaches("--egress", "none")).toBe("refused");
  const goal = await engine.ok("inspect", "goal", "--format", "{{.NetworkSettings.Networks.outer.IPAddress}}");
  expect(await reaches("--egress", goal)).toBe("reached");
  await engine.ok("network", "create", "--egress", "192.0.2.1", "narrow");
  expect(await reaches("--network", "narrow")).toBe("refused");
  const wider = await engine.gantry("run", "--rm", "--network", "narrow", "--egress", goal, "busybox", "true");
  expect(wider.err).toContain("the network narrow does not allow it");
  expect((await engine.gantry("run", "--rm", "--egress", "a b", "busybox", "true")).err).toContain(
    "neither an address",
  );
  await engine.ok("rm", "-f", "goal");
  await engine.ok("network", "rm", "outer", "narrow");
});
