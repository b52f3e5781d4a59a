import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { run, startEngine, type TestEngine } from "./support/engine.ts";
import { makeOrdinaryUser, type OrdinaryUser } from "./support/ordinary-user.ts";

/** The engine of a user without rights, found by the user's own folders; no word asks for it. */
let user: OrdinaryUser;
let engine: TestEngine;
beforeAll(async () => {
  user = makeOrdinaryUser();
  engine = await startEngine({ user });
});
afterAll(async () => {
  try {
    await engine?.[Symbol.asyncDispose]();
    expect(user.processes()).toEqual([]);
  } finally {
    user[Symbol.dispose]();
  }
});

const served = "root:x:0:0";
const web = ["busybox", "httpd", "-f", "-h", "/etc"];
const page = async (port: string | number) => (await fetch(`http://127.0.0.1:${port}/passwd`)).text();

/** A build context of this user's. */
function context(name: string, files: Readonly<Record<string, string>>): string {
  const folder = join(engine.folder, name);
  mkdirSync(folder, { mode: 0o755 });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text, { mode: 0o644 });
  return folder;
}

test("an ordinary user's command starts an engine of the user's own, in the user's folders", async () => {
  expect(await engine.ok("run", "--rm", "--network", "none", "busybox", "echo", "hello")).toBe("hello");
  const info = JSON.parse(await engine.ok("info", "--json"));
  expect(info).toMatchObject({
    Socket: join(user.run, "gantry/gantry.sock"),
    DataRoot: join(user.home, ".local/share/gantry"),
    CgroupDriver: "none",
  });
  expect(info.SecurityOptions).toContain("name=rootless");
  const status = readFileSync(`/proc/${info.EnginePid}/status`, "utf8");
  expect(Number(/^Uid:\s+(\d+)/m.exec(status)?.[1])).toBe(user.uid);
  expect(statSync(info.Socket).mode & 0o777).toBe(0o600);
  const parent = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]);
  expect(readFileSync(`/proc/${parent}/cmdline`, "utf8")).not.toContain("rootlesskit");
});

test("root in a container is the user outside, and another user one of its subordinate ids", async () => {
  const bound = join(user.home, "bound");
  await engine.client(["mkdir", bound]);
  const script = "id -u; touch /b/root; touch /b/other; chown 1000:1000 /b/other; grep -c cgroup /proc/mounts";
  const { out } = await engine.gantry("run", "--rm", "-v", `${bound}:/b`, "busybox", "sh", "-c", script);
  expect(out).toBe("0\n0\n");
  expect(statSync(join(bound, "root")).uid).toBe(user.uid);
  expect(statSync(join(bound, "other")).uid).toBeGreaterThan(99_999);
});

test("docker's own client works at the user's socket: run, exec, logs, cp, stop", async () => {
  const docker = async (...words: string[]) => {
    const { code, out, err } = await engine.client(["docker", ...words]);
    if (code !== 0) throw new Error(`docker ${words.join(" ")} ended with ${code}: ${err}`);
    return out.trim();
  };
  await docker("run", "-d", "--name", "d", "busybox", "sh", "-c", "echo begun; exec sleep 1000");
  expect(await docker("exec", "d", "id", "-u")).toBe("0");
  expect(await docker("logs", "d")).toBe("begun");
  writeFileSync(join(engine.folder, "note"), "carried", { mode: 0o644 });
  await docker("cp", join(engine.folder, "note"), "d:/note");
  expect(await docker("exec", "d", "cat", "/note")).toBe("carried");
  expect(await docker("top", "d")).toContain("sleep 1000");
  // It is deaf to the stop signal: every process of it is killed without a cgroup that would name them.
  await docker("stop", "-t", "1", "d");
  expect(await docker("inspect", "-f", "{{.State.ExitCode}}", "d")).toBe("137");
  await docker("rm", "d");
});

test("a published port answers on the machine's loopback, while the container runs, with or without an engine", async () => {
  await engine.ok("run", "-d", "--name", "web", "-p", "80", ...web);
  const port = (await engine.ok("port", "web", "80")).split(":")[1]!;
  expect(await page(port)).toContain(served);
  const again = await engine.gantry("run", "--rm", "-p", `${port}:80`, "busybox", "true");
  expect(again.err).toContain("another program or container has it");
  process.kill(await engine.pid(), "SIGKILL");
  expect(await page(port)).toContain(served);
  await engine.ok("publish", "web", "80");
  const both = (await engine.ok("port", "web", "80")).split("\n").map((line) => line.split(":")[1]!);
  expect(both.length).toBe(2);
  for (const each of both) expect(await page(each)).toContain(served);
  await engine.ok("rm", "-f", "web");
  for (const each of both) await expect(page(each)).rejects.toThrow();
});

test("a port of the machine's that another program has, and one below 1024, are refused with the next step", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as { port: number };
  const taken = await engine.gantry("run", "--rm", "-p", `${port}:80`, "busybox", "true");
  other.close();
  expect(taken).toMatchObject({ code: 125 });
  expect(taken.err).toContain("another program or container has it");
  const low = await engine.gantry("run", "--rm", "-p", "80:80", "busybox", "true");
  expect(low.err).toContain("ip_unprivileged_port_start=80");
});

test("containers of one network find each other by name, and the default network has none of the names", async () => {
  await engine.ok("network", "create", "mine");
  await engine.ok("run", "-d", "--name", "named", "--network", "mine", ...web);
  const ask = ["busybox", "sh", "-c", "wget -q -O- http://named/passwd"];
  expect(await engine.ok("run", "--rm", "--network", "mine", ...ask)).toContain(served);
  expect((await engine.gantry("run", "--rm", ...ask)).code).not.toBe(0);
  await engine.ok("rm", "-f", "named");
  await engine.ok("network", "rm", "mine");
});

test("the engine reaches the machine's loopback for a registry, and no container on a bridge does", async () => {
  const registry = join(engine.folder, "registry");
  const child = Bun.spawn(["docker-registry", "serve", "/dev/stdin"], {
    stdin: Buffer.from(
      `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${registry}}}\nhttp: {addr: "127.0.0.1:55077"}\n`,
    ),
    stdout: "ignore",
    stderr: "ignore",
  });
  try {
    const url = "http://127.0.0.1:55077/v2/";
    while ((await fetch(url).catch(() => undefined)) === undefined) await new Promise(setImmediate);
    const name = "127.0.0.1:55077/box:1";
    await engine.ok("tag", "busybox", name);
    await engine.ok("push", name);
    await engine.ok("rmi", name);
    await engine.ok("pull", name);
    expect(await engine.ok("run", "--rm", name, "echo", "pulled")).toBe("pulled");
    await engine.ok("rmi", name);
    for (const address of ["10.0.2.2", "10.0.2.77"]) {
      const script = `wget -q -O- http://${address}:55077/v2/ & sleep 1; kill $! 2>/dev/null; wait $!`;
      expect((await engine.gantry("run", "--rm", "busybox", "sh", "-c", script)).code).not.toBe(0);
    }
    // What forbids it is the bridge: in the engine's own network the same address answers.
    const seen = ["--network", "host", "busybox", "sh", "-c", "wget -q -O- http://10.0.2.2:55077/v2/"];
    expect(await engine.ok("run", "--rm", ...seen)).toBe("{}");
  } finally {
    child.kill();
    await child.exited;
  }
});

test("a registry that the engine serves answers on the machine's loopback, also after the engine was killed", async () => {
  const address = "127.0.0.1:55078";
  await engine.ok("registry", "serve", "--address", address);
  await engine.ok("tag", "busybox", `${address}/box`);
  await engine.ok("push", `${address}/box`);
  process.kill(await engine.pid(), "SIGKILL");
  await engine.ok("ps");
  expect((await fetch(`http://${address}/v2/box/tags/list`)).status).toBe(200);
  await engine.ok("registry", "stop", address);
  await engine.ok("rmi", `${address}/box`);
  await expect(fetch(`http://${address}/v2/`)).rejects.toThrow();
});

const recipe = `FROM busybox
RUN mkdir /data && echo one >/data/a && chown 1000:50 /data/a && chmod 4755 /data/a && ln -s a /data/b
RUN rm -rf /home && mkdir /home && echo x >/home/y && rm /etc/group
COPY --chown=7:8 file /srv/file
ADD http://127.0.0.1:55079/added /added
FROM busybox
COPY --from=0 /data /data
COPY --from=0 /home /home
COPY --from=0 /added /srv /srv/
`;

test("a build is the same bits as root's, with owners, links, whiteouts and replaced folders in it", async () => {
  await using root = await startEngine({ bare: true });
  const base = join(root.folder, "base.tar");
  await engine.ok("save", "-o", join(engine.folder, "base.tar"), "busybox");
  writeFileSync(base, readFileSync(join(engine.folder, "base.tar")));
  await root.ok("load", "-i", base);
  const folder = context("same", { Dockerfile: recipe, file: "content\n" });
  await using _site = Bun.serve({ port: 55_079, hostname: "127.0.0.1", fetch: () => new Response("from the machine") });
  const words = ["build", "-q", "--no-cache", "--build-arg", "SOURCE_DATE_EPOCH=1700000000"];
  const ours = await engine.ok(...words, "-t", "same", folder);
  expect(ours).toBe(await root.ok(...words, "-t", "same", folder));
  expect(ours).toStartWith("sha256:");
});

test("a layer with whiteouts and a replaced folder shows the same when it is unpacked anew", async () => {
  const look = ["sh", "-c", "ls /home; ls /etc; cat /added"];
  const folder = context("hidden", {
    Dockerfile: "FROM busybox\nRUN echo x >/home/old\nRUN rm -r /home /etc/group && mkdir /home && echo y >/home/new\n",
  });
  await engine.ok("build", "-q", "-t", "hidden", folder);
  const before = (await engine.gantry("run", "--rm", "hidden", ...look)).out;
  const file = join(engine.folder, "hidden.tar");
  await engine.ok("save", "-o", file, "hidden");
  await engine.ok("rmi", "hidden");
  await engine.ok("prune", "--force");
  await engine.ok("load", "-i", file);
  expect((await engine.gantry("run", "--rm", "hidden", ...look)).out).toBe(before);
  expect(before).toStartWith("new\n");
  expect(before).not.toContain("group");
});

test("compose brings up services that know each other, and takes them down", async () => {
  const { out: clients, code } = await run(["sh", "scripts/setup-clients"], { ...process.env } as Record<
    string,
    string
  >);
  expect(code).toBe(0);
  const plugin = join(clients.trim(), "root/usr/libexec/docker/cli-plugins/docker-compose");
  const compose = join(engine.folder, "docker-compose");
  writeFileSync(compose, readFileSync(plugin), { mode: 0o755 });
  const folder = context("shop", {
    "compose.yaml": `services:
  web: {image: busybox, command: httpd -f -h /etc, ports: ["127.0.0.1:55080:80"]}
  asks: {image: busybox, command: sh -c "until wget -q -O- http://web/passwd; do sleep 0.1; done", depends_on: [web]}
`,
  });
  const words = [compose, "-p", "shop", "-f", join(folder, "compose.yaml")];
  const up = await engine.client([...words, "up", "-d"]);
  expect({ code: up.code, err: up.code === 0 ? "" : up.err }).toEqual({ code: 0, err: "" });
  expect(await page(55_080)).toContain(served);
  expect(await engine.ok("wait", "shop-asks-1")).toBe("0");
  expect((await engine.client([...words, "logs", "asks"])).out).toContain(served);
  expect((await engine.client([...words, "down"])).code).toBe(0);
  expect(await engine.ok("ps", "-aq")).toBe("");
});

/** Every row of docs/rootless.md's list, by its first words; each is answered "unsupported" and says what to do. */
test("what takes the machine's root is refused, never ignored, and the page lists exactly that", async () => {
  await engine.ok("run", "-d", "--name", "runs", "busybox", "sleep", "1000");
  const limited = context("limited", { Dockerfile: "FROM busybox\nRUN true\n" });
  const high = context("high", { Dockerfile: "FROM busybox\nCOPY --chown=90000:1 file /file\n", file: "" });
  const device = context("device", { Dockerfile: "FROM busybox\nADD nodes.tar /nodes/\n" });
  await run(["tar", "-C", "/dev", "-cf", join(device, "nodes.tar"), "null"], { PATH: process.env.PATH ?? "" });
  const cases: Readonly<Record<string, readonly string[]>> = {
    "`run --memory`": ["run", "--rm", "-m", "64m", "busybox", "true"],
    "`run --cpus`": ["run", "--rm", "--cpus", "0.5", "busybox", "true"],
    "`run --cpuset-cpus`": ["run", "--rm", "--cpuset-cpus", "0", "busybox", "true"],
    "`run --pids-limit`": ["run", "--rm", "--pids-limit", "9", "busybox", "true"],
    "`build --memory`": ["build", "-q", "--no-cache", "-m", "64m", limited],
    "`pause`": ["pause", "runs"],
    "`stats`": ["stats", "--no-stream", "runs"],
    "`network create -d macvlan`": ["network", "create", "-d", "macvlan", "shared"],
    "`-p 80:80/sctp`": ["run", "--rm", "-p", "55081:80/sctp", "busybox", "true"],
    "`run --user 70000`": ["run", "--rm", "-u", "70000", "busybox", "true"],
    "`COPY --chown=90000`": ["build", "-q", high],
    "`ADD` of an archive with devices": ["build", "-q", device],
  };
  const answers = await Promise.all(
    Object.entries(cases).map(async ([name, words]) => {
      const { code, err } = await engine.gantry(...words);
      return { name, refused: code !== 0, next: /as root|\/etc\/subuid/.test(err) };
    }),
  );
  expect(answers).toEqual(Object.keys(cases).map((name) => ({ name, refused: true, next: true })));
  const listed = [...readFileSync("docs/rootless.md", "utf8").matchAll(/^\d+\. (.*?): /gm)].map(([, name]) => name!);
  expect(listed).toEqual(Object.keys(cases));
  await engine.ok("rm", "-f", "runs");
});

test("doctor finds what a user's engine needs, and names what is missing", async () => {
  const findings = async () => {
    const { out } = await engine.gantry("doctor", "--json");
    const all = (JSON.parse(out) as { findings: { subject: string; state: string }[] }).findings;
    return Object.fromEntries(all.map(({ subject, state }) => [subject, state]));
  };
  const well = await findings();
  const needed = [
    "rootlesskit",
    "newuidmap",
    "catatonit",
    "subuid",
    "subgid",
    "tun",
    "user overlay",
    "user namespaces",
  ];
  expect(needed.filter((subject) => well[subject] !== "ok")).toEqual([]);
  expect(well.limits).toBe("warning");
});

test("engine stop --all ends the user's namespaces, and the next command makes them anew", async () => {
  await engine.ok("run", "-d", "--name", "again", "-p", "80", ...web);
  await engine.ok("engine", "stop");
  expect(user.processes().some((words) => words.includes("rootlesskit"))).toBe(true);
  await engine.ok("engine", "stop", "--all");
  expect(user.processes()).toEqual([]);
  await engine.ok("start", "again");
  expect(await page((await engine.ok("port", "again", "80")).split(":")[1]!)).toContain(served);
  await engine.ok("rm", "-f", "again");
});

test("without a run folder of a session the engine is in /tmp, and a folder that others made there is refused", async () => {
  const folder = `/tmp/gantry-run-${user.uid}`;
  const env = { PATH: engine.env.PATH!, HOME: join(user.home, "second") };
  const gantry = (...words: string[]) => run([...user.prefix, join(import.meta.dir, "../bin/gantry"), ...words], env);
  await run([...user.prefix, "mkdir", env.HOME], env);
  mkdirSync(folder, { mode: 0o777 });
  expect((await gantry("ps")).err).toContain("it belongs to user 0");
  await run(["rmdir", folder], env);
  expect(await gantry("ps", "-q")).toMatchObject({ code: 0 });
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(await gantry("engine", "uninstall", "--data")).toMatchObject({ code: 0 });
  expect(existsSync(folder)).toBe(false);
});

test("uninstall leaves no process, run folder or data of the user's, subordinate ids' files included", async () => {
  await engine.ok("run", "-d", "-v", "kept:/v", "busybox", "sh", "-c", "touch /v/x; chown 1000 /v/x; exec sleep 1000");
  await engine.ok("engine", "uninstall", "--data");
  expect(user.processes()).toEqual([]);
  expect(readdirSync(user.run)).toEqual([]);
  expect(readdirSync(join(user.home, ".local/share"))).toEqual([]);
});
