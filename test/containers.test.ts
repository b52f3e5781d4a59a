import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { startEngine, type TestEngine } from "./support/engine.ts";

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

test("run prints the program's output and ends with its exit code", async () => {
  expect(await engine.gantry("run", "--rm", "busybox", "echo", "hello")).toEqual({ code: 0, out: "hello\n", err: "" });
  expect((await engine.gantry("run", "--rm", "busybox", "sh", "-c", "echo to-err >&2; exit 7")).code).toBe(7);
  expect((await engine.gantry("run", "--rm", "busybox", "sh", "-c", "echo to-err >&2")).err).toBe("to-err\n");
});

test("run --rm leaves no container behind", async () => {
  await engine.ok("run", "--rm", "--name", "gone", "busybox", "true");
  expect((await engine.gantry("inspect", "gone")).code).toBe(1);
});

test("standard input reaches the program and its end too", async () => {
  expect((await engine.feed("one\ntwo\n", "run", "-i", "--rm", "busybox", "wc", "-l")).out).toBe("2\n");
  const big = "x".repeat(3_000_000);
  expect((await engine.feed(big, "run", "-i", "--rm", "busybox", "wc", "-c")).out.trim()).toBe("3000000");
});

test("an unknown program ends with 127 and says its name", async () => {
  const { code, err } = await engine.gantry("run", "--rm", "busybox", "no-such-program");
  expect(code).toBe(127);
  expect(err).toContain("no-such-program");
});

test("user, working folder, variables and host name are what was asked", async () => {
  const script = 'id -u; id -g; pwd; echo "$GREETING"; hostname';
  const out = await engine.ok(
    "run",
    "--rm",
    "-u",
    "user:staff",
    "-w",
    "/tmp/x",
    "-e",
    "GREETING=a b",
    "-h",
    "box",
    "busybox",
    "sh",
    "-c",
    script,
  );
  expect(out.split("\n")).toEqual(["1000", "50", "/tmp/x", "a b", "box"]);
});

test("limits are really set", async () => {
  const read = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max";
  const out = await engine.ok("run", "--rm", "-m", "64m", "--pids-limit", "32", "busybox", "sh", "-c", read);
  expect(out.split("\n")).toEqual([String(64 * 1024 * 1024), "32"]);
});

test("a taken name is refused with its owner and the next step", async () => {
  await engine.ok("create", "--name", "taken", "busybox", "true");
  const { code, err } = await engine.gantry("create", "--name", "taken", "busybox", "true");
  expect(code).toBe(1);
  expect(err).toContain('"taken"');
  expect(err).toContain("choose another name");
  await engine.ok("rm", "taken");
});

test("a published port answers on 127.0.0.1 only, and a taken one is refused", async () => {
  await engine.ok("run", "-d", "--name", "web", "-p", "80", "busybox", "httpd", "-f", "-h", "/etc");
  const bound = await engine.ok("port", "web", "80");
  expect(bound).toStartWith("127.0.0.1:");
  expect(await (await fetch(`http://${bound}/passwd`)).text()).toContain("root:x:0:0");
  const port = bound.split(":")[1]!;
  const again = await engine.gantry("run", "--rm", "-p", `${port}:80`, "busybox", "true");
  expect(again.code).toBe(125);
  expect(again.err).toContain(port);
  await engine.ok("rm", "-f", "web");
});

test("a port that another program of the host has is refused by name", async () => {
  await using taken = await new Promise<{ port: number } & AsyncDisposable>((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      resolve({ port, [Symbol.asyncDispose]: () => new Promise((done) => server.close(() => done())) });
    });
  });
  const { code, err } = await engine.gantry("run", "--rm", "-p", `${taken.port}:80`, "busybox", "true");
  expect(code).toBe(125);
  expect(err).toContain(String(taken.port));
});

test("logs come back in order with both streams, and follow ends with the container", async () => {
  await engine.ok(
    "run",
    "-d",
    "--name",
    "writer",
    "busybox",
    "sh",
    "-c",
    "for i in 1 2 3; do echo out $i; echo err $i >&2; done",
  );
  await engine.ok("wait", "writer");
  const { out, err } = await engine.gantry("logs", "-f", "writer");
  expect(out).toBe("out 1\nout 2\nout 3\n");
  expect(err).toBe("err 1\nerr 2\nerr 3\n");
  expect(
    (await engine.gantry("logs", "--tail", "1", "writer")).out +
      (await engine.gantry("logs", "--tail", "1", "writer")).err,
  ).toContain("3");
  await engine.ok("rm", "writer");
});

test("stop ends with the stop signal, and with SIGKILL for the deaf", async () => {
  await engine.ok("run", "-d", "--name", "deaf", "busybox", "sh", "-c", "trap '' TERM; while :; do sleep 1; done");
  await engine.ok("stop", "-t", "1", "deaf");
  expect(await engine.ok("inspect", "-f", "{{.State.ExitCode}}", "deaf")).toBe("137");
  await engine.ok("rm", "deaf");
});

test("exec runs beside the program, with its own exit code", async () => {
  await engine.ok("run", "-d", "--name", "host", "busybox", "sleep", "1000");
  expect(await engine.ok("exec", "host", "echo", "inside")).toBe("inside");
  expect((await engine.gantry("exec", "host", "sh", "-c", "exit 5")).code).toBe(5);
  expect((await engine.feed("hi", "exec", "-i", "host", "cat")).out).toBe("hi");
  expect(
    await engine.ok("exec", "-u", "1000", "-w", "/tmp", "-e", "A=b", "host", "sh", "-c", "id -u; pwd; echo $A"),
  ).toBe("1000\n/tmp\nb");
  await engine.ok("rm", "-f", "host");
});

test("files go in and out with cp", async () => {
  const here = join(engine.folder, "files");
  mkdirSync(join(here, "sub"), { recursive: true });
  writeFileSync(join(here, "sub/a.txt"), "content");
  await engine.ok("run", "-d", "--name", "files", "busybox", "sleep", "1000");
  await engine.ok("cp", here, "files:/tmp/");
  expect(await engine.ok("exec", "files", "cat", "/tmp/files/sub/a.txt")).toBe("content");
  await engine.ok("cp", "files:/tmp/files", join(engine.folder, "back"));
  expect(await Bun.file(join(engine.folder, "back/sub/a.txt")).text()).toBe("content");
  await engine.ok("rm", "-f", "files");
});

test("a container cannot lead cp to the host through a link", async () => {
  const canary = join(engine.folder, "canary");
  writeFileSync(canary, "untouched");
  await engine.ok(
    "run",
    "-d",
    "--name",
    "evil",
    "busybox",
    "sh",
    "-c",
    `ln -s ${engine.folder} /tmp/out; ln -s /../../../.. /tmp/up; sleep 1000`,
  );
  const source = join(engine.folder, "canary-new");
  writeFileSync(source, "overwritten");
  await engine.gantry("cp", source, "evil:/tmp/out/canary");
  await engine.gantry("cp", source, `evil:/tmp/up${canary}`);
  expect(await Bun.file(canary).text()).toBe("untouched");
  await engine.ok("rm", "-f", "evil");
});

test("a named volume outlives its containers, and a used one is not removed", async () => {
  await engine.ok("run", "--rm", "-v", "data:/data", "busybox", "sh", "-c", "echo kept > /data/file");
  expect(await engine.ok("run", "--rm", "-v", "data:/data:ro", "busybox", "cat", "/data/file")).toBe("kept");
  await engine.ok("create", "--name", "user", "-v", "data:/data", "busybox", "true");
  expect((await engine.gantry("volume", "rm", "data")).err).toContain("in use");
  await engine.ok("rm", "user");
  await engine.ok("volume", "rm", "data");
});

test("a fresh volume takes over what the image has at its place, with owner and mode", async () => {
  const dockerfile =
    "FROM busybox\nRUN mkdir /seed && echo content > /seed/file && chown -R 1000:50 /seed && chmod 750 /seed\n";
  await engine.feed(dockerfile, "build", "-q", "-t", "seeded", "-f", "-", join(engine.folder, "run"));
  const out = await engine.ok(
    "run",
    "--rm",
    "-v",
    "seed:/seed",
    "seeded",
    "sh",
    "-c",
    "cat /seed/file; stat -c '%u %g %a' /seed /seed/file",
  );
  expect(out.split("\n")).toEqual(["content", "1000 50 750", "1000 50 644"]);
  await engine.ok("volume", "rm", "seed");
});

test("the container sees three descriptors, no capabilities beyond Docker's, and a masked kernel", async () => {
  const script =
    "ls /proc/self/fd | wc -l; grep CapEff /proc/self/status; grep Seccomp: /proc/self/status; cat /proc/kcore 2>/dev/null | wc -c";
  const [descriptors, capabilities, seccomp, kcore] = (
    await engine.ok("run", "--rm", "busybox", "sh", "-c", script)
  ).split("\n");
  // ls itself holds the folder open: 0, 1, 2 and that one.
  expect(Number(descriptors)).toBe(4);
  expect(capabilities).toContain("00000000a80425fb");
  expect(seccomp).toContain("2");
  expect(Number(kcore)).toBe(0);
});

test("killing the engine stops no container and loses no exit code or log line", async () => {
  await engine.ok(
    "run",
    "-d",
    "--name",
    "survivor",
    "busybox",
    "sh",
    "-c",
    "i=0; while [ $i -lt 20 ]; do echo line $i; i=$((i+1)); sleep 0.1; done; exit 9",
  );
  process.kill(await engine.pid(), "SIGKILL");
  // The next command starts an engine, which adopts it.
  expect(await engine.ok("wait", "survivor")).toBe("9");
  const lines = (await engine.ok("logs", "survivor")).split("\n");
  expect(lines).toEqual(Array.from({ length: 20 }, (_, index) => `line ${index}`));
  await engine.ok("rm", "survivor");
});

test("two commands at once on a stopped engine start one engine", async () => {
  await engine.ok("engine", "stop");
  const pids = await Promise.all(Array.from({ length: 4 }, () => engine.pid()));
  expect(new Set(pids).size).toBe(1);
});

test("the engine is no child of its caller and holds nothing of it", async () => {
  const pid = await engine.pid();
  const stat = await Bun.file(`/proc/${pid}/stat`).text();
  const [, parent, , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  expect(Number(session)).toBe(pid);
  expect(Number(parent)).not.toBe(process.pid);
  expect(await Bun.file(`/proc/${pid}/environ`).text()).not.toContain("DOCKER_HOST");
  expect(existsSync(`/proc/${pid}/cwd/etc`)).toBe(true);
  expect(await Bun.file(`/proc/${pid}/cgroup`).text()).toContain(":/gantry/engine");
});

test("the socket is for its owner alone", async () => {
  const { mode } = await import("node:fs").then(({ statSync }) => statSync(engine.socket));
  expect(mode & 0o777).toBe(0o600);
});

test("cp keeps modes and times, and says what is missing", async () => {
  const file = join(engine.folder, "dated");
  writeFileSync(file, "x", { mode: 0o640 });
  utimesSync(file, 1_600_000_000, 1_600_000_000);
  await engine.ok("create", "--name", "dated", "busybox", "true");
  await engine.ok("cp", file, "dated:/tmp/dated");
  await engine.ok("cp", "dated:/tmp/dated", join(engine.folder, "dated-back"));
  const back = statSync(join(engine.folder, "dated-back"));
  expect([back.mode & 0o777, back.mtimeMs / 1000]).toEqual([0o640, 1_600_000_000]);
  expect((await engine.gantry("cp", "dated:/nope", engine.folder)).err).toContain("no such file");
  expect((await engine.gantry("cp", file, "dated:/nope/x")).err).toContain("/nope");
  await engine.ok("rm", "dated");
});

test("a conmon that dies under an adopted container is noticed: the container ends, nothing waits for ever", async () => {
  const id = await engine.ok("run", "-d", "--name", "orphan", "busybox", "sleep", "1000");
  process.kill(await engine.pid(), "SIGKILL");
  await engine.ok("ps");
  const conmon = Number(readFileSync(join(engine.folder, `run/containers/${id}/conmon.pid`), "utf8"));
  const ended = engine.ok("wait", "orphan");
  process.kill(conmon, "SIGKILL");
  expect(await ended).toBe("137");
  expect(await engine.ok("inspect", "-f", "{{.State.Status}}", "orphan")).toBe("exited");
  await engine.ok("rm", "orphan");
});
