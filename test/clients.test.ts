import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Docker from "dockerode";
import { startEngine, type TestEngine } from "./support/engine.ts";

/** Programs and libraries that know nothing of Gantry, pointed at its socket. */
let engine: TestEngine;
let docker: Docker;
beforeAll(async () => {
  engine = await startEngine();
  await engine.ok("info");
  docker = new Docker({ socketPath: engine.socket });
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

test("docker run, ps, logs, exec, inspect and rm work on this engine", async () => {
  expect(await engine.client(["docker", "run", "--rm", "busybox", "echo", "from docker"])).toMatchObject({
    code: 0,
    out: "from docker\n",
  });
  expect(await engine.client(["docker", "run", "-i", "--rm", "busybox", "cat"], "typed")).toMatchObject({
    code: 0,
    out: "typed",
  });
  expect((await engine.client(["docker", "run", "--rm", "busybox", "sh", "-c", "exit 4"])).code).toBe(4);
  expect(
    await engine.client(["docker", "run", "-d", "--name", "d1", "busybox", "sh", "-c", "echo up; sleep 1000"]),
  ).toMatchObject({ code: 0 });
  expect((await engine.client(["docker", "ps", "--format", "{{.Names}} {{.Status}}"])).out).toStartWith("d1 Up");
  expect((await engine.client(["docker", "exec", "d1", "sh", "-c", "echo inside; exit 3"])).code).toBe(3);
  expect((await engine.client(["docker", "logs", "d1"])).out).toBe("up\n");
  expect((await engine.client(["docker", "inspect", "-f", "{{.State.Running}}", "d1"])).out).toBe("true\n");
  expect((await engine.client(["docker", "top", "d1"])).out).toContain("sleep 1000");
  expect((await engine.client(["docker", "stats", "--no-stream", "--format", "{{.Name}}", "d1"])).out).toBe("d1\n");
  expect(await engine.client(["docker", "rm", "-f", "d1"])).toMatchObject({ code: 0, out: "d1\n" });
});

test("docker save and load say what they say of Docker's own engine", async () => {
  const sh = async (words: string) => engine.client(["sh", "-ec", `cd ${engine.folder}; ${words}`]);
  const old = (await sh("docker images -q --no-trunc busybox")).out.trim();
  await sh("docker tag busybox two:1; docker tag busybox two:2; docker save -o two.tar two");
  expect(await sh("docker load -i two.tar")).toMatchObject({
    out: "Loaded image: two:1\nLoaded image: two:2\n",
    err: "",
  });
  await sh("docker import --message other busybox.tar two:2");
  const other = (await sh("docker images -q --no-trunc two:2")).out.trim();
  expect(other).not.toBe(old);
  expect((await sh("docker load -q < two.tar")).out).toBe(
    `Loaded image: two:1\nThe image two:2 already exists, renaming the old one with ID ${other} to empty string\nLoaded image: two:2\n`,
  );
  const id = (await sh(`docker save -o id.tar ${old}; docker load -i id.tar`)).out;
  expect(id).toBe(`Loaded image ID: ${old}\n`);
  expect((await sh("docker save -o no.tar two:1 none:1")).code).toBe(1);
  await sh("docker rmi two:1 two:2");
});

test("docker build of the classic kind reaches this builder, with the same digest as gantry build", async () => {
  const folder = join(engine.folder, "context");
  mkdirSync(folder);
  writeFileSync(
    join(folder, "Dockerfile"),
    "FROM busybox\nARG WORD=x\nRUN echo $WORD > /word\nCOPY file /file\nCMD cat /word /file\n",
  );
  writeFileSync(join(folder, "file"), "content\n");
  const env = { ...engine.env, DOCKER_BUILDKIT: "0" };
  const child = Bun.spawn(["docker", "build", "-q", "--build-arg", "WORD=hello", "-t", "built", folder], {
    env,
    stdout: "pipe",
    stderr: "ignore",
  });
  const id = (await new Response(child.stdout).text()).trim();
  expect(await child.exited).toBe(0);
  expect(await engine.ok("build", "-q", "--no-cache", "--build-arg", "WORD=hello", folder)).toBe(id);
  expect((await engine.client(["docker", "run", "--rm", "built"])).out).toBe("hello\ncontent\n");
});

test("docker save and load carry an image through a file", async () => {
  const file = join(engine.folder, "saved.tar");
  const idOf = async () => (await engine.client(["docker", "inspect", "-f", "{{.Id}}", "busybox"])).out;
  const id = await idOf();
  expect(await engine.client(["docker", "save", "-o", file, "busybox"])).toMatchObject({ code: 0 });
  expect(await engine.client(["docker", "tag", "busybox", "other:1"])).toMatchObject({ code: 0 });
  expect((await engine.client(["docker", "rmi", "busybox"])).out).toContain("Untagged: busybox:latest");
  expect((await engine.client(["docker", "load", "-i", file])).out).toContain("Loaded image: busybox:latest");
  expect(await idOf()).toBe(id);
  expect(await engine.client(["docker", "rmi", "other:1"])).toMatchObject({ code: 0 });
});

test("docker cp, volume, rename, pause, wait and events answer as docker's own engine does", async () => {
  const said = async (...words: string[]) => (await engine.client(["docker", ...words])).out.trim();
  await said("run", "-d", "--name", "c1", "-v", "vol:/data", "busybox", "sleep", "1000");
  writeFileSync(join(engine.folder, "in.txt"), "in");
  expect(await engine.client(["docker", "cp", join(engine.folder, "in.txt"), "c1:/data/in.txt"])).toMatchObject({
    code: 0,
  });
  expect(await said("exec", "c1", "cat", "/data/in.txt")).toBe("in");
  expect(await said("volume", "ls", "-q")).toBe("vol");
  await said("rename", "c1", "c2");
  await said("pause", "c2");
  expect(await said("inspect", "-f", "{{.State.Status}}", "c2")).toBe("paused");
  await said("unpause", "c2");
  await said("kill", "-s", "TERM", "c2");
  await said("kill", "c2");
  expect(await said("wait", "c2")).toMatch(/^(137|143)$/);
  const events = await said(
    "events",
    "--since",
    "1h",
    "--until",
    // Docker's client cuts to whole seconds: what happened in this one would be missed.
    `${Math.ceil(Date.now() / 1000)}`,
    "--filter",
    "container=c2",
    "--format",
    "{{.Action}}",
  );
  expect(events.split("\n")).toContain("rename");
  expect(await engine.client(["docker", "rm", "c2"])).toMatchObject({ code: 0 });
  expect(await engine.client(["docker", "volume", "rm", "vol"])).toMatchObject({ code: 0 });
});

test("dockerode creates, attaches, starts, waits and removes", async () => {
  const container = await docker.createContainer({
    Image: "busybox",
    Cmd: ["sh", "-c", "echo out; echo err >&2; exit 6"],
  });
  const stream = await container.attach({ stream: true, stdout: true, stderr: true });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const sink = (into: Buffer[]) => ({ write: (chunk: Buffer) => into.push(chunk) }) as never;
  docker.modem.demuxStream(stream, sink(out), sink(err));
  const over = new Promise((done) => stream.once("end", done));
  await container.start();
  expect(await container.wait()).toMatchObject({ StatusCode: 6 });
  await over;
  expect(Buffer.concat(out).toString()).toBe("out\n");
  expect(Buffer.concat(err).toString()).toBe("err\n");
  await container.remove();
  expect(docker.getContainer(container.id).inspect()).rejects.toMatchObject({ statusCode: 404 });
});

test("clients are told of the builder they can speak to", async () => {
  const told = async (agent: string, method: string) => {
    const init = { method, headers: { "User-Agent": agent }, unix: engine.socket };
    return (await fetch("http://engine/_ping", init as RequestInit)).headers.get("builder-version");
  };
  for (const method of ["GET", "HEAD"]) {
    expect(await told("Docker-Client/20.10.24 (linux)", method)).toBe("1");
    expect(await told("Docker-Client/28.2.2 (linux)", method)).toBe("2");
    expect(await told("anything", method)).toBe("2");
  }
});

test("unknown pages, broken bodies and old versions are refused with Docker's error form", async () => {
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`http://engine${path}`, { ...init, unix: engine.socket } as RequestInit);
  for (const [path, init, status] of [
    ["/v1.51/nope", {}, 404],
    ["/v1.12/containers/json", {}, 400],
    ["/v1.51/containers/create", { method: "POST", body: "{nonsense" }, 400],
    ["/v1.51/containers/create", { method: "POST", body: "[1]" }, 400],
    ["/v1.51/containers/create", { method: "POST", body: `{"x":"${"y".repeat(5_000_000)}"}` }, 400],
    ["/v1.51/containers/create", { method: "POST", body: '{"Image":"no/such:image","Cmd":["x"]}' }, 404],
    ["/v1.51/containers/json?filters=nope", {}, 400],
    ["/v1.51/images/%ff%fe/json", {}, 400],
    ["/v1.51/containers/x/start", { method: "POST" }, 404],
  ] as const) {
    const response = await ask(path, init);
    expect({ path, status: response.status }).toEqual({ path, status });
    expect(typeof ((await response.json()) as { message: unknown }).message).toBe("string");
  }
  expect(await (await ask("/_ping")).text()).toBe("OK");
});
