import { expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isKind } from "#base/core/errors.ts";
import type { Attachment, LogLine } from "./contract.ts";
import { openScene } from "./testing/scene.ts";

const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

type Piece = { readonly bytes: Uint8Array };

async function text(source: AsyncIterable<Piece | readonly Piece[]>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const some of source) for (const { bytes } of [some].flat()) pieces.push(bytes);
  return Buffer.concat(pieces).toString();
}

async function readUntil(client: Attachment, word: string): Promise<string> {
  let seen = "";
  for await (const { bytes } of { [Symbol.asyncIterator]: () => keepOpen(client) }) {
    seen += Buffer.from(bytes).toString();
    if (seen.includes(word)) break;
  }
  return seen;
}

/** Leaving the loop must not leave the container. */
function keepOpen(client: Attachment): AsyncIterator<{ readonly bytes: Uint8Array }> {
  const inner = client.output[Symbol.asyncIterator]();
  return { next: () => inner.next() };
}

test("create, start, wait, remove: exit code, state and events are right and nothing is left", async () => {
  await using scene = openScene();
  const { containers } = scene;
  const events: string[] = [];
  using _listener = containers.onEvent((event) => events.push(event.action));
  const id = await scene.create(["sh", "-c", "exit 7"], { name: "seven" });
  expect(containers.get("seven").state).toEqual({ status: "created" });
  const exit = containers.wait(id, "next-exit");
  expect(await containers.start("seven")).toBe(true);
  expect(await exit).toEqual({ exitCode: 7 });
  expect(containers.get(id.slice(0, 8)).state).toMatchObject({ status: "exited", exitCode: 7, oomKilled: false });
  const gone = containers.wait(id, "removed");
  await containers.remove(id);
  expect(await gone).toEqual({ exitCode: 7 });
  expect(events).toEqual(["create", "start", "die", "destroy"]);
  expect(readdirSync(join(scene.base.folder, "run/containers"))).toEqual([]);
  expect(readdirSync(join(scene.base.folder, "run/exits"))).toEqual([]);
  expect(readdirSync(join(scene.base.folder, "run/crun"))).toEqual([]);
  expect(readdirSync(join(scene.base.folder, "data/containers"))).toEqual([]);
  expect(isKind(await failure(containers.start(id)), "not-found")).toBe(true);
});

test("a client that attaches before the start loses no byte, in both streams", async () => {
  await using scene = openScene();
  const id = await scene.create(["sh", "-c", "echo out; echo err >&2; head -c 300000 /dev/zero"]);
  await using client = await scene.containers.attach(id, { stdout: true, stderr: true });
  await using second = await scene.containers.attach(id, { stdout: false, stderr: true });
  await scene.containers.start(id);
  const [all, errors] = await Promise.all([text(client.output), text(second.output)]);
  expect(all.length).toBe(300_008);
  expect(all).toStartWith("out\n");
  expect(errors).toBe("err\n");
});

test("input goes in, its end is seen, and output after it still comes", async () => {
  await using scene = openScene();
  const id = await scene.create(["sh", "-c", "cat; echo after"], { config: { openStdin: true, stdinOnce: true } });
  await using client = await scene.containers.attach(id, { stdin: true, stdout: true });
  await scene.containers.start(id);
  await client.write(Buffer.alloc(200_000, "x"));
  client.endInput();
  const output = await text(client.output);
  expect(output.length).toBe(200_006);
  expect(output).toEndWith("xafter\n");
});

test("a terminal has its size, gets a new one, and echoes", async () => {
  await using scene = openScene();
  const script = "stty size; read x; stty size";
  const id = await scene.create(["sh", "-c", script], {
    config: { openStdin: true, process: { terminal: true, size: { rows: 30, columns: 100 } } },
  });
  await using client = await scene.containers.attach(id, { stdin: true, stdout: true });
  await scene.containers.start(id);
  expect(await readUntil(client, "\n")).toContain("30 100");
  await scene.containers.resize(id, { rows: 40, columns: 120 });
  await client.write(Buffer.from("go\n"));
  expect(await readUntil(client, "40 120")).toContain("40 120");
});

test("a container that ignores SIGTERM is killed after its time, with 137; a polite one stops with its own code", async () => {
  await using scene = openScene();
  const { containers } = scene;
  const deaf = await scene.create(["sh", "-c", "trap '' TERM; echo up; while :; do sleep 1; done"]);
  const polite = await scene.create(["sh", "-c", "trap 'exit 3' TERM; echo up; while :; do sleep 0.05; done"]);
  const killed = await scene.create(["sleep", "1000"]);
  for (const id of [deaf, polite]) {
    await using client = await containers.attach(id, { stdout: true });
    await containers.start(id);
    await readUntil(client, "up");
  }
  await containers.start(killed);
  const ends = [deaf, polite, killed].map((id) => containers.wait(id, "next-exit"));
  await Promise.all([
    containers.stop(deaf, { timeout: 0.2 }),
    containers.stop(polite, { timeout: 5 }),
    containers.kill(killed, "9"),
  ]);
  expect((await Promise.all(ends)).map((end) => end.exitCode)).toEqual([137, 3, 137]);
  expect(await containers.stop(deaf)).toBe(false);
  expect(isKind(await failure(containers.kill(deaf)), "conflict")).toBe(true);
  expect(isKind(await failure(containers.kill(deaf, "SIGNONSENSE")), "invalid")).toBe(true);
});

test("pause freezes, unpause goes on, and a paused container can be stopped", async () => {
  await using scene = openScene();
  const { containers } = scene;
  const id = await scene.create(["sh", "-c", "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done"]);
  {
    await using client = await containers.attach(id, { stdout: true });
    await containers.start(id);
    // Before its trap stands, process 1 is deaf to TERM.
    for await (const { bytes } of client.output) if (bytes.length > 0) break;
  }
  await containers.pause(id);
  expect(containers.get(id).state.status).toBe("paused");
  expect(isKind(await failure(containers.pause(id)), "conflict")).toBe(true);
  await containers.unpause(id);
  expect(containers.get(id).state.status).toBe("running");
  await containers.pause(id);
  await containers.stop(id, { timeout: 3 });
  expect(containers.get(id).state.status).toBe("exited");
});

test("exec: output, input, exit code, user and environment; a second one beside it; none in a stopped container", async () => {
  await using scene = openScene();
  const { containers } = scene;
  const id = await scene.create(["sleep", "1000"]);
  expect(isKind(await failure(containers.execs.create(id, { process: { args: ["true"] } })), "conflict")).toBe(true);
  await containers.start(id);
  const exec = await containers.execs.create(id, {
    process: { args: ["sh", "-c", "id -u; echo $A; cat; exit 5"], env: ["A=b"], user: "ada" },
    openStdin: true,
  });
  await using client = await containers.execs.start(exec.id, { attach: true });
  await client!.write(Buffer.from("typed\n"));
  client!.endInput();
  expect(await text(client!.output)).toBe("1000\nb\ntyped\n");
  expect(await containers.execs.wait(exec.id)).toEqual({ exitCode: 5 });
  expect(containers.execs.inspect(exec.id).state).toEqual({ status: "exited", exitCode: 5 });
  const detached = await containers.execs.create(id, { process: { args: ["true"] } });
  expect(await containers.execs.start(detached.id, { attach: false })).toBeUndefined();
  expect(await containers.execs.wait(detached.id)).toEqual({ exitCode: 0 });
  const missing = await containers.execs.create(id, { process: { args: ["nothing-like-it"] } });
  const error = await failure(containers.execs.start(missing.id, { attach: true }));
  expect(isKind(error, "not-found")).toBe(true);
  expect(existsSync(join(scene.base.folder, "run/containers", id))).toBe(true);
});

test("names are unique, checked and can be changed", async () => {
  await using scene = openScene();
  const { containers } = scene;
  const a = await scene.create(["true"], { name: "a" });
  const both = await Promise.all([
    failure(scene.create(["true"], { name: "b" })),
    failure(scene.create(["true"], { name: "b" })),
  ]);
  expect(both.filter((error) => isKind(error, "conflict"))).toHaveLength(1);
  expect(String(await failure(scene.create(["true"], { name: "a" })))).toContain(a.slice(0, 12));
  expect(isKind(await failure(scene.create(["true"], { name: "-x" })), "invalid")).toBe(true);
  await containers.rename("a", "c");
  expect(containers.get("c").id).toBe(a);
  expect(isKind(await failure(containers.rename("c", "b")), "conflict")).toBe(true);
});

test("auto-remove: removed after the exit, without a call, and waiters get the code", async () => {
  await using scene = openScene();
  const id = await scene.create(["sh", "-c", "exit 4"], { config: { autoRemove: true } });
  const gone = scene.containers.wait(id, "removed");
  await scene.containers.start(id);
  expect(await gone).toEqual({ exitCode: 4 });
  expect(scene.containers.list()).toEqual([]);
});

test("a program that is not there: not-found by name, exit code 127, the container can be started again", async () => {
  await using scene = openScene();
  const { containers } = scene;
  const id = await scene.create(["nothing-like-it"]);
  const error = await failure(containers.start(id));
  expect(isKind(error, "not-found")).toBe(true);
  expect(String(error)).toContain("nothing-like-it");
  expect(containers.get(id).state).toMatchObject({ status: "exited", exitCode: 127 });
  expect(isKind(await failure(containers.start(id)), "not-found")).toBe(true);
});

test("a second run keeps what the first wrote, and changes lists it", async () => {
  await using scene = openScene();
  const { containers } = scene;
  const id = await scene.create(["sh", "-c", "cat /kept 2>/dev/null && rm /etc/group; echo kept >/kept"]);
  for (let i = 0; i < 2; i += 1) {
    const end = containers.wait(id, "next-exit");
    await containers.start(id);
    await end;
  }
  const lines: LogLine[] = [];
  for await (const some of containers.logs(id)) lines.push(...some);
  expect(lines.map((line) => Buffer.from(line.bytes).toString())).toEqual(["kept\n"]);
  const changes = await containers.changes(id);
  expect(changes).toContainEqual({ path: "/kept", kind: "added" });
  expect(changes).toContainEqual({ path: "/etc", kind: "modified" });
  expect(changes).toContainEqual({ path: "/etc/group", kind: "deleted" });
  {
    await using root = await containers.openRoot(id);
    expect(existsSync(join(root.path, "kept"))).toBe(true);
  }
});

test("logs follow to the end, with streams, tail and times; a megabyte line stays whole", async () => {
  await using scene = openScene();
  const { containers } = scene;
  const id = await scene.create([
    "sh",
    "-c",
    "for i in 1 2 3 4 5; do echo line $i; done; echo bad >&2; sleep 0.2; head -c 900000 /dev/zero | tr '\\0' y; echo; echo last",
  ]);
  await containers.start(id);
  const lines: LogLine[] = [];
  for await (const some of containers.logs(id, { follow: true })) lines.push(...some);
  const texts = lines.map((line) => Buffer.from(line.bytes).toString());
  expect(texts.filter((line) => line.startsWith("line"))).toEqual([
    "line 1\n",
    "line 2\n",
    "line 3\n",
    "line 4\n",
    "line 5\n",
  ]);
  expect(texts.find((line) => line.startsWith("y"))?.length).toBe(900_001);
  expect(texts.at(-1)).toBe("last\n");
  expect(lines.find((line) => line.stream === "stderr")?.timestamp).toMatch(/^\d{4}-\d\d-\d\dT/);
  const tail = await text(containers.logs(id, { tail: 3, stderr: false }));
  expect(tail).toEndWith("last\n");
  expect(tail.length).toBeGreaterThan(900_000);
  expect(await text(containers.logs(id, { tail: 0 }))).toBe("");
  expect(await text(containers.logs(id, { until: Date.now() - 3_600_000 }))).toBe("");
});

test("a reader that stops reading is cut off, and the container goes on", async () => {
  await using scene = openScene({ patience: 300 });
  const id = await scene.create(["sh", "-c", "head -c 20000000 /dev/zero; exit 6"]);
  await using _client = await scene.containers.attach(id, { stdout: true });
  const end = scene.containers.wait(id, "next-exit");
  await scene.containers.start(id);
  expect(await end).toEqual({ exitCode: 6 });
});

test("output closed early, and a program that writes on, end as they should", async () => {
  await using scene = openScene();
  const id = await scene.create(["sh", "-c", "exec >&- 2>&-; sleep 0.1; exit 9"]);
  const end = scene.containers.wait(id, "next-exit");
  await scene.containers.start(id);
  expect(await end).toEqual({ exitCode: 9 });
});

test("stats and top tell of a running container, and the network of another can be joined", async () => {
  await using scene = openScene();
  const { containers } = scene;
  const id = await scene.create(["sleep", "1000"], { config: { resources: { memory: 64 * 1024 * 1024, pids: 50 } } });
  await containers.start(id);
  const stats = await containers.stats(id);
  expect(stats.memory.limit).toBe(64 * 1024 * 1024);
  expect(stats.pids).toEqual({ current: 1, limit: 50 });
  expect(stats.cpu.totalNs).toBeGreaterThan(0);
  const top = await containers.top(id);
  expect(top.processes.map((row) => row[7])).toEqual(["sleep 1000"]);
  const other = await scene.create(["sh", "-c", "readlink /proc/self/ns/net"], {
    sandbox: { network: { kind: "container", id }, cgroupParent: "" },
  });
  await using client = await containers.attach(other, { stdout: true });
  await containers.start(other);
  const { state } = containers.get(id);
  const namespace = Bun.spawnSync(["readlink", `/proc/${state.status === "running" ? state.pid : 0}/ns/net`]);
  expect(await text(client.output)).toBe(namespace.stdout.toString());
});

test("remove with force ends a running container; without, it is refused with the way out", async () => {
  await using scene = openScene();
  const id = await scene.create(["sleep", "1000"]);
  await scene.containers.start(id);
  const error = await failure(scene.containers.remove(id));
  expect(isKind(error, "conflict")).toBe(true);
  expect(String(error)).toContain("remove it with force");
  await scene.containers.remove(id, { force: true });
  expect(scene.containers.list()).toEqual([]);
});

test("a log stops at its size and begins anew; the container is never held up by it", async () => {
  await using scene = openScene();
  const id = await scene.create(["sh", "-c", "yes 0123456789abcdef | head -c 30000000; echo the end"], {
    config: { logSizeMax: 1_000_000 },
  });
  const end = scene.containers.wait(id, "next-exit");
  await scene.containers.start(id);
  expect(await end).toEqual({ exitCode: 0 });
  const kept = await text(scene.containers.logs(id));
  expect(kept.length).toBeLessThan(1_100_000);
  expect(kept).toEndWith("the end\n");
}, 20_000);

test("a fork bomb is held by its limit and removed whole", async () => {
  await using scene = openScene();
  const id = await scene.create(["sh", "-c", "f() { f | f & f; }; f"], { config: { resources: { pids: 40 } } });
  await scene.containers.start(id);
  expect((await scene.containers.stats(id)).pids.current).toBeLessThanOrEqual(40);
  await scene.containers.remove(id, { force: true });
  expect(scene.containers.list()).toEqual([]);
}, 20_000);
