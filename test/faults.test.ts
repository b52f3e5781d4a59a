import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run, startEngine, type TestEngine } from "./support/engine.ts";

/** What fails around an engine: its own death at any moment, the machine's, the disk, and programs that misbehave. */
let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

const host = (...words: string[]) => run(words, { PATH: engine.env.PATH! });

async function kill(of = engine): Promise<void> {
  const pid = await of.pid();
  process.kill(pid, "SIGKILL");
}

/** Repairs, then finds nothing more. */
async function expectSound(of = engine): Promise<void> {
  const first = JSON.parse(await of.ok("check", "--json")) as { remaining: unknown[] };
  expect(first.remaining).toEqual([]);
  expect(await of.ok("check", "--json")).toBe('{"findings":[],"remaining":[]}');
}

/** Does the work with an engine that dies in its midst, once for each delay, and says how often it came to an end. */
async function dying(work: () => Promise<{ code: number }>, delays: readonly number[]): Promise<number> {
  let done = 0;
  for (const delay of delays) {
    const pid = await engine.pid();
    const outcome = work();
    // The delay is the fault's own place in the work, no waiting for something.
    await Bun.sleep(delay);
    process.kill(pid, "SIGKILL");
    if ((await outcome).code === 0) done += 1;
    expect(await engine.gantry("ps", "-aq")).toMatchObject({ code: 0 });
  }
  return done;
}

async function survivor(): Promise<{ check(): Promise<void> } & AsyncDisposable> {
  await engine.ok(
    "run",
    "-d",
    "--name",
    "steady",
    "busybox",
    "sh",
    "-c",
    "echo first; while [ ! -e /end ]; do sleep 0.1; done; echo last; exit 23",
  );
  return {
    /** It ran through all of it: its log is whole and its exit code is known. */
    async check() {
      expect(await engine.ok("inspect", "-f", "{{.State.Status}}", "steady")).toBe("running");
      await engine.ok("exec", "steady", "touch", "/end");
      expect(await engine.ok("wait", "steady")).toBe("23");
      expect(await engine.ok("logs", "steady")).toBe("first\nlast");
    },
    async [Symbol.asyncDispose]() {
      await engine.ok("rm", "-f", "steady");
    },
  };
}

test("killed in a loop of create, start and remove, the engine comes back with what it promised", async () => {
  await using steady = await survivor();
  const loop = async () => {
    let last = { code: 0 };
    for (let turn = 0; turn < 3 && last.code === 0; turn += 1)
      last = await engine.gantry("run", "--rm", "busybox", "true");
    return last;
  };
  await dying(loop, [20, 45, 70, 95, 120]);
  await steady.check();
  await expectSound();
  for (const state of ["created", "running"]) {
    const ids = (await engine.ok("ps", "-aq", "--filter", `status=${state}`)).split("\n").filter((id) => id !== "");
    if (ids.length > 0) await engine.ok("rm", "-f", ...ids);
  }
});

test("killed while it removes and prunes, what is gone is whole gone, what is left works", async () => {
  const make = async (count: number) => {
    const names = Array.from({ length: count }, (_, index) => `dead-${index}`);
    for (const name of names) await engine.gantry("run", "--name", name, "-v", `${name}:/data`, "busybox", "true");
    return names;
  };
  const names = await make(8);
  // Straight to the API: a program's own start would be most of the delay.
  const ask = async (method: string, path: string) => {
    try {
      const answer = await fetch(`http://engine${path}`, { method, unix: engine.socket });
      return { code: answer.ok ? 0 : 1 };
    } catch {
      return { code: 1 };
    }
  };
  const done = await dying(async () => {
    const answers = await Promise.all(names.slice(0, 3).map((name) => ask("DELETE", `/containers/${name}`)));
    return { code: Math.max(...answers.map(({ code }) => code)) };
  }, [1, 4]);
  const pruned = await dying(() => ask("POST", "/containers/prune"), [1, 3, 6]);
  expect(done + pruned).toBeLessThan(5);
  await expectSound();
  const left = (await engine.ok("ps", "-a", "--format", "{{.Names}}"))
    .split("\n")
    .filter((name) => name.startsWith("dead-"));
  for (const name of left) {
    const started = await engine.gantry("start", "-a", name);
    expect({ name, ...started }).toMatchObject({ code: 0 });
    await engine.ok("rm", name);
  }
  await engine.ok("volume", "prune", "-f", "-a");
});

test("killed while an image is pulled, the next pull brings the same image", async () => {
  await using far = await startEngine();
  const context = join(engine.folder, "big");
  mkdirSync(context);
  // Bytes that do not compress, so that the pull takes a while.
  writeFileSync(join(context, "noise"), crypto.getRandomValues(new Uint8Array(65536)));
  writeFileSync(
    join(context, "Dockerfile"),
    "FROM busybox\nCOPY noise /noise\nRUN for i in $(seq 300); do cat /noise; done > /big && sha256sum /big > /sum\n",
  );
  const address = "127.0.0.1:5599";
  await far.ok("registry", "serve", "--address", address);
  await far.ok("build", "-q", "-t", `${address}/big:1`, context);
  await far.ok("push", `${address}/big:1`);
  // Struck when its own words say how far it is.
  for (const lines of [1, 4]) {
    const pid = await engine.pid();
    const path = `/images/create?fromImage=${encodeURIComponent(`${address}/big`)}&tag=1`;
    const answer = await fetch(`http://engine${path}`, { method: "POST", unix: engine.socket });
    const reader = answer.body!.getReader();
    for (let line = 0; line < lines && !(await reader.read()).done; line += 1);
    process.kill(pid, "SIGKILL");
    await reader.cancel().catch(() => undefined);
    expect(await engine.gantry("ps", "-aq")).toMatchObject({ code: 0 });
  }
  await engine.ok("pull", `${address}/big:1`);
  await expectSound();
  expect(await engine.ok("run", "--rm", `${address}/big:1`, "sh", "-c", "sha256sum -c /sum")).toBe("/big: OK");
  await engine.ok("rmi", `${address}/big:1`);
});

test("killed while a RUN step works, no step is left running and the next build ends with the right digest", async () => {
  const context = join(engine.folder, "slow");
  mkdirSync(context);
  writeFileSync(
    join(context, "Dockerfile"),
    "FROM busybox\nRUN echo one > /one\nRUN for i in 1 2 3 4 5; do echo $i >> /two; sleep 0.1; done\nRUN cat /one /two > /three\n",
  );
  const build = () => engine.gantry("build", "-q", "--no-cache", "-t", "slow", context);
  await dying(build, [300, 500, 700]);
  const first = await engine.ok("build", "-q", "-t", "slow", context);
  expect(await engine.ok("build", "-q", "--no-cache", "-t", "slow", context)).toBe(first);
  expect(readdirSync(join(engine.env.GANTRY_RUN_ROOT!, "build"))).toEqual([]);
  expect(readdirSync(join(engine.env.GANTRY_DATA_ROOT!, "contexts"))).toEqual([]);
  expect((await engine.ok("run", "--rm", "slow", "cat", "/three")).split("\n")).toEqual([
    "one",
    "1",
    "2",
    "3",
    "4",
    "5",
  ]);
  await expectSound();
});

test("a second engine on the same data root refuses and says who has it", async () => {
  await engine.ok("info");
  const other = join(engine.folder, "other-run");
  const second = await run([join(import.meta.dir, "../bin/gantry"), "engine", "start"], {
    ...engine.env,
    GANTRY_RUN_ROOT: other,
    DOCKER_HOST: `unix://${other}/gantry.sock`,
  });
  await host("umount", "-R", join(other, "holder"));
  rmSync(other, { recursive: true, force: true });
  expect(second.code).not.toBe(0);
  expect(second.err).toContain(engine.env.GANTRY_DATA_ROOT!);
  expect(second.err).toContain("another engine has it");
  expect(second.err).toContain("GANTRY_DATA_ROOT");
  expect(second.err.match(/Cannot start the engine/g)).toHaveLength(1);
  expect((await engine.gantry("ps")).code).toBe(0);
});

function processesOf(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(folder);
      } catch {
        return false;
      }
    });
}

test("after a reboot of the host containers show as ended, and they and everything else start again", async () => {
  await using short = await startEngine();
  await short.ok(
    "run",
    "-d",
    "--name",
    "served",
    "-p",
    "80",
    "-v",
    "kept:/kept",
    "busybox",
    "sh",
    "-c",
    "echo up; echo x >> /kept/x; echo y >> /y; httpd -f -h /etc",
  );
  await short.ok("run", "-d", "--name", "alone", "--network", "none", "busybox", "sleep", "1000");
  await short.gantry("run", "--name", "before", "busybox", "sh", "-c", "exit 4");
  const ids = (await short.ok("ps", "-aq", "--no-trunc")).split("\n");
  const pids = [];
  for (const name of ["served", "alone"]) pids.push(Number(await short.ok("inspect", "-f", "{{.State.Pid}}", name)));
  // By its name, which is made of the run folder's: an address could be another engine's too.
  const run = new Bun.CryptoHasher("sha256").update(short.env.GANTRY_RUN_ROOT!).digest("hex");
  const bridge = `gantry${run.slice(0, 8)}`;
  // Engine first, so that it sees nothing of what follows; then all that lives in memory.
  await kill(short);
  for (const pid of [...processesOf(short.folder), ...pids]) process.kill(pid, "SIGKILL");
  const mounts = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "");
  for (const mount of mounts.filter((path) => path.startsWith(short.folder)).reverse())
    await host("umount", "-l", mount);
  rmSync(short.env.GANTRY_RUN_ROOT!, { recursive: true, force: true });
  for (const tree of readdirSync("/sys/fs/cgroup")) {
    for (const id of ids) await host("rmdir", `/sys/fs/cgroup/${tree}/gantry/${id}`);
  }
  expect(await host("ip", "link", "del", bridge)).toMatchObject({ code: 0 });
  expect(await host("nft", "delete", "table", "ip", bridge.replace(/^gantry/, "gantry-"))).toMatchObject({ code: 0 });

  const states = (await short.ok("ps", "-a", "--format", "{{.Names}} {{.State}}")).split("\n").sort();
  expect(states).toEqual(["alone exited", "before exited", "served exited"]);
  expect(await short.ok("inspect", "-f", "{{.State.ExitCode}}", "before")).toBe("4");
  expect(await short.ok("logs", "served")).toBe("up");
  await expectSound(short);
  await short.ok("start", "served", "alone");
  expect((await short.gantry("start", "-a", "before")).code).toBe(4);
  const bound = await short.ok("port", "served", "80");
  expect(await (await fetch(`http://${bound}/passwd`)).text()).toContain("root:x:0:0");
  expect(await short.ok("exec", "served", "sh", "-c", "cat /kept/x /y | wc -l")).toBe("4");
  expect(await short.ok("run", "--rm", "busybox", "echo", "new")).toBe("new");
}, 60_000);

test("a full disk is named with what helps, and after room is made everything works", async () => {
  const folder = join(engine.folder, "small");
  mkdirSync(folder);
  expect(await host("mount", "-t", "tmpfs", "-o", "size=40m,mode=755", "tmpfs", folder)).toMatchObject({ code: 0 });
  const env = {
    ...engine.env,
    GANTRY_DATA_ROOT: join(folder, "data"),
    GANTRY_RUN_ROOT: join(engine.folder, "small-run"),
    DOCKER_HOST: `unix://${engine.folder}/small-run/gantry.sock`,
  };
  const gantry = (...words: string[]) => run([join(import.meta.dir, "../bin/gantry"), ...words], env);
  try {
    expect(await gantry("import", "-c", 'CMD ["sh"]', join(engine.folder, "busybox.tar"), "busybox")).toMatchObject({
      code: 0,
    });
    const words = /space|full|free|room/;
    // A program that fills it gets the kernel's own answer, and its exit code comes through.
    const filled = await gantry("run", "--name", "filler", "busybox", "dd", "if=/dev/zero", "of=/fill", "bs=1M");
    expect(filled.code).toBe(1);
    expect(filled.err).toContain("No space left on device");
    for (const command of [
      ["run", "--rm", "busybox", "true"],
      ["load", "-i", join(engine.folder, "busybox.tar")],
      ["import", join(engine.folder, "busybox.tar"), "more"],
      ["pull", "127.0.0.1:1/x:1"],
      ["build", "-q", join(engine.folder, "slow")],
    ]) {
      const { code, err } = await gantry(...command);
      expect({ command, refused: code !== 0 }).toEqual({ command, refused: true });
      expect(err).toMatch(words);
      expect(err).toContain("gantry prune");
    }
    // What needs no room still works.
    expect((await gantry("ps", "-a", "--format", "{{.Names}}")).out).toBe("filler\n");
    expect(await gantry("rm", "filler")).toMatchObject({ code: 0 });
    await gantry("run", "busybox", "dd", "if=/dev/zero", "of=/fill", "bs=1M");
    expect(await gantry("prune", "-f")).toMatchObject({ code: 0 });
    expect((await gantry("ps", "-aq")).out).toBe("");
    // Filled in the midst of the work: below the watermark at its start, not at its end.
    const big = join(engine.folder, "big-layer");
    mkdirSync(big);
    writeFileSync(join(big, "Dockerfile"), "FROM busybox\nRUN dd if=/dev/urandom of=/big bs=1M count=30\n");
    const build = await gantry("build", "-q", big);
    expect(build.code).toBe(1);
    expect(build.err).toMatch(words);
    expect(await gantry("prune", "-f")).toMatchObject({ code: 0 });
    const checked = JSON.parse((await gantry("check", "--json")).out) as { remaining: unknown[] };
    expect(checked.remaining).toEqual([]);
    expect(await gantry("run", "--rm", "busybox", "echo", "again")).toMatchObject({ code: 0, out: "again\n" });
  } finally {
    const gone = await gantry("engine", "uninstall", "--data");
    await host("umount", folder);
    expect(gone.code).toBe(0);
  }
}, 60_000);

test("a container that forks without end stops at its limit, and the engine goes on", async () => {
  await engine.ok(
    "run",
    "-d",
    "--name",
    "bomb",
    "--pids-limit",
    "40",
    "busybox",
    "sh",
    "-c",
    "f() { f & f & wait; }; (while :; do f; done) 2>/dev/null & exec sleep 1000",
  );
  const id = await engine.ok("inspect", "-f", "{{.Id}}", "bomb");
  const { out } = await host("find", "/sys/fs/cgroup", "-path", `*${id}/pids.max`);
  expect(readFileSync(out.trim().split("\n")[0]!, "utf8").trim()).toBe("40");
  expect(await engine.ok("run", "--rm", "busybox", "echo", "beside")).toBe("beside");
  const current = out.trim().split("\n")[0]!.replace(/max$/, "current");
  expect(Number(readFileSync(current, "utf8"))).toBeLessThanOrEqual(40);
  await engine.ok("rm", "-f", "bomb");
  expect(existsSync(out.trim().split("\n")[0]!)).toBe(false);
});

test("a container that writes much keeps a log of the size that was asked for, its newest lines whole", async () => {
  const script =
    "i=0; yes 'a line of sixty-four bytes, again and again, without any end, ok' | head -n 400000; echo the last line";
  await engine.ok("run", "-d", "--name", "talker", "--log-opt", "max-size=1m", "busybox", "sh", "-c", script);
  expect(await engine.ok("wait", "talker")).toBe("0");
  const folder = join(
    engine.env.GANTRY_DATA_ROOT!,
    "containers",
    await engine.ok("inspect", "-f", "{{.Id}}", "talker"),
  );
  const logs = readdirSync(folder).filter((name) => name.includes("log"));
  const bytes = logs.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  expect(bytes).toBeLessThan(2.5 * 2 ** 20);
  expect(await engine.ok("logs", "--tail", "1", "talker")).toBe("the last line");
  await engine.ok("rm", "talker");
});

test("a container that ignores SIGTERM is stopped, and one that closes its streams early is waited for", async () => {
  await engine.ok(
    "run",
    "-d",
    "--name",
    "deaf",
    "--stop-timeout",
    "1",
    "busybox",
    "sh",
    "-c",
    "trap '' TERM INT HUP; echo ready; while :; do sleep 1; done",
  );
  await engine.ok("stop", "deaf");
  expect(await engine.ok("inspect", "-f", "{{.State.ExitCode}}", "deaf")).toBe("137");
  await engine.ok("rm", "deaf");
  const early = await engine.gantry(
    "run",
    "--rm",
    "busybox",
    "sh",
    "-c",
    "echo said; exec >&- 2>&- <&-; sleep 0.3; exit 6",
  );
  expect(early).toMatchObject({ code: 6, out: "said\n" });
});

test("a reader that goes away stops neither the program nor the engine", async () => {
  const child = Bun.spawn(
    ["sh", "-c", `${join(import.meta.dir, "../bin/gantry")} run --rm --name chatty busybox yes | head -n 1`],
    { env: engine.env, stdout: "pipe", stderr: "ignore" },
  );
  expect(await new Response(child.stdout).text()).toBe("y\n");
  await child.exited;
  expect((await engine.gantry("ps")).code).toBe(0);
  await engine.gantry("rm", "-f", "chatty");
});

test("an idle engine uses less than a hundredth of a processor", async () => {
  await engine.ok("run", "-d", "--name", "idle", "busybox", "sleep", "1000");
  const pid = await engine.pid();
  const ticks = () => {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return Number(fields[11]) + Number(fields[12]);
  };
  // What is measured is the time itself; the work of the tests before may still be settling in the first window.
  const windows: number[] = [];
  do {
    const before = ticks();
    await Bun.sleep(3000);
    windows.push(ticks() - before);
    // A tick is 10 ms: 3 of 300.
  } while (windows.at(-1)! > 3 && windows.length < 4);
  expect(windows.at(-1)).toBeLessThanOrEqual(3);
  await engine.ok("rm", "-f", "idle");
});
