import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startEngine, type TestEngine } from "./support/engine.ts";

/** `docker cp` with mounts and links: what the container sees is what is copied, and nothing else of the host. */
let engine: TestEngine;
let bound: string;
beforeAll(async () => {
  engine = await startEngine();
  await engine.ok("info");
  bound = join(engine.folder, "bound");
  mkdirSync(bound);
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

const docker = (...words: string[]) => engine.client(["docker", ...words]);
const source = (name: string, text: string) => {
  const path = join(engine.folder, name);
  writeFileSync(path, text);
  return path;
};

for (const running of [true, false]) {
  const kind = running ? "running" : "stopped";
  test(`links of a ${kind} container into its volume and its bind mount are followed, in and out`, async () => {
    const name = `links-${kind}`;
    const script = "ln -s /data /to-volume; ln -s /bound/deep /to-bound; echo seen >/data/file; sleep 1000";
    await engine.ok(
      ...["run", "-d", "--name", name, "-v", `${name}:/data`, "-v", `${bound}:/bound`, "--tmpfs", "/scratch"],
      ...["busybox", "sh", "-c", script],
    );
    mkdirSync(join(bound, "deep"), { recursive: true });
    while ((await engine.gantry("exec", name, "cat", "/data/file")).out !== "seen\n");
    if (!running) await engine.ok("kill", name);
    const back = join(engine.folder, `back-${kind}`);
    expect(await docker("cp", `${name}:/to-volume/file`, back)).toMatchObject({ code: 0 });
    expect(readFileSync(back, "utf8")).toBe("seen\n");
    const file = source("new", `for the ${kind}`);
    expect(await docker("cp", file, `${name}:/to-volume/new`)).toMatchObject({ code: 0 });
    expect(await docker("cp", file, `${name}:/to-bound/new`)).toMatchObject({ code: 0 });
    expect(readFileSync(join(bound, "deep/new"), "utf8")).toBe(`for the ${kind}`);
    expect(await engine.ok("run", "--rm", "-v", `${name}:/v`, "busybox", "cat", "/v/new")).toBe(`for the ${kind}`);
    if (running) {
      expect(await docker("cp", file, `${name}:/scratch/new`)).toMatchObject({ code: 0 });
      expect(await engine.ok("exec", name, "cat", "/scratch/new")).toBe("for the running");
    }
    // An export is of the root alone, as Docker's.
    const tar = join(engine.folder, `export-${kind}.tar`);
    expect(await docker("export", "-o", tar, name)).toMatchObject({ code: 0 });
    const listed = Bun.spawnSync(["tar", "tf", tar]).stdout.toString();
    expect(listed).toContain("to-volume");
    expect(listed).not.toContain("data/file");
    await engine.ok("rm", "-f", name);
    if (!running) expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(join(bound, "deep"));
  });

  test(`read-only mounts and roots of a ${kind} container are refused in Docker's words`, async () => {
    const name = `readonly-${kind}`;
    const command = ["busybox", "sh", "-c", "ln -s /bound /tmp/link; echo up; sleep 1000"];
    await engine.ok("run", "-d", "--name", name, "-v", `${bound}:/bound:ro`, ...command);
    await engine.ok("run", "-d", "--name", `${name}-root`, "--read-only", "busybox", "sleep", "1000");
    while ((await engine.ok("logs", name)) !== "up");
    if (!running) await engine.ok("kill", name, `${name}-root`);
    const file = source("refused", "no");
    for (const place of ["/bound/refused", "/tmp/link/refused"]) {
      const { code, err } = await docker("cp", file, `${name}:${place}`);
      expect({ place, code, err }).toMatchObject({
        code: 1,
        err: expect.stringContaining("mounted volume is marked read-only"),
      });
    }
    const root = await docker("cp", file, `${name}-root:/tmp/refused`);
    expect(root).toMatchObject({ code: 1, err: expect.stringContaining("container rootfs is marked read-only") });
    expect(await Bun.file(join(bound, "refused")).exists()).toBe(false);
    await engine.ok("rm", "-f", name, `${name}-root`);
  });
}

test("a mount point that the image lacks is made for a container that never ran", async () => {
  await engine.ok("create", "--name", "fresh", "-v", "fresh:/not/there/yet", "busybox", "true");
  expect(await docker("cp", source("early", "early"), "fresh:/not/there/yet/early")).toMatchObject({ code: 0 });
  expect(await engine.ok("run", "--rm", "-v", "fresh:/v", "busybox", "cat", "/v/early")).toBe("early");
  await engine.ok("rm", "fresh");
});

test("kernel file systems and magic links are no way out and no data", async () => {
  await engine.ok("run", "-d", "--name", "kernel", "busybox", "sh", "-c", "ln -s /proc/1/root /tmp/magic; sleep 1000");
  for (const path of ["/proc/version", "/sys/kernel", "/tmp/magic/etc/passwd", "/proc/self/root/etc/passwd"]) {
    expect((await docker("cp", `kernel:${path}`, "-")).code).toBe(1);
  }
  const tar = join(engine.folder, "whole.tar");
  const whole = Bun.spawn(["docker", "cp", "kernel:/", "-"], {
    env: engine.env,
    stdout: Bun.file(tar),
    stderr: "ignore",
  });
  expect(await whole.exited).toBe(0);
  const names = Bun.spawnSync(["tar", "tf", tar]).stdout.toString();
  expect(names).toContain("etc/passwd");
  expect(names).not.toContain("proc/version");
  await engine.ok("rm", "-f", "kernel");
});

test("a container that swaps folders for links while cp runs never reaches the host", async () => {
  const canary = source("canary", "untouched");
  // A folder and a link to the host's place of the canary take turns under one name.
  const script = `mkdir -p /t/real; ln -s ${engine.folder} /t/bad; mkdir /t/x
    while :; do mv -T /t/x /t/y; ln -s ${engine.folder} /t/x; rm /t/x; mv -T /t/y /t/x; done`;
  await engine.ok("run", "-d", "--name", "swaps", "busybox", "sh", "-c", script);
  const tar = Bun.spawnSync(["tar", "c", "-C", engine.folder, "canary"]).stdout;
  writeFileSync(canary, "untouched");
  const ask = (method: string, path: string, body?: Uint8Array<ArrayBuffer>) =>
    fetch(`http://engine/v1.51/containers/swaps/archive?path=${path}`, {
      unix: engine.socket,
      method,
      ...(body === undefined ? {} : { body }),
    });
  const evil = new Uint8Array(tar);
  evil.set(Buffer.from("OVERWRITE"), 512);
  const statuses = new Map<number, number>();
  for (let round = 0; round < 200; round += 1) {
    const { status } = await ask("PUT", "/t/x", evil);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    const answer = await ask("GET", "/t/x/canary");
    expect(Buffer.from(await answer.arrayBuffer()).includes("untouched")).toBe(false);
  }
  expect(readFileSync(canary, "utf8")).toBe("untouched");
  expect(statuses.get(200)).toBeGreaterThan(0);
  await engine.ok("rm", "-f", "swaps");
});
