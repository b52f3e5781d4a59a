import { afterAll, beforeAll, expect, test } from "bun:test";
import { hostname } from "node:os";
import { startEngine, type TestEngine } from "./support/engine.ts";

let engine: TestEngine;

beforeAll(async () => {
  engine = await startEngine();
});

afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

const docker = (...words: string[]) => engine.client(["docker", ...words]);
const said = async (...words: string[]) => {
  const { code, out, err } = await docker(...words);
  if (code !== 0) throw new Error(`docker ${words.join(" ")} ended with ${code}: ${err}`);
  return out.trim();
};

test("pid, uts and ipc namespaces are the host's or another container's when asked", async () => {
  await said("run", "-d", "--name", "donor", "--ipc", "shareable", "busybox", "sleep", "1234");
  expect(await said("run", "--rm", "--pid", "container:donor", "busybox", "ps")).toContain("sleep 1234");
  expect(await said("run", "--rm", "--pid", "host", "busybox", "ps")).toContain("conmon");
  expect(await said("run", "--rm", "--uts", "host", "busybox", "hostname")).toBe(hostname());
  expect(await said("run", "--rm", "--network", "host", "busybox", "hostname")).toBe(hostname());
  await said("exec", "donor", "sh", "-c", "echo shared > /dev/shm/x");
  expect(await said("run", "--rm", "--ipc", "container:donor", "busybox", "cat", "/dev/shm/x")).toBe("shared");
  const inode = ["busybox", "readlink", "/proc/self/ns/ipc"];
  expect(await said("run", "--rm", "--ipc", "container:donor", ...inode)).toBe(
    await said("exec", "donor", "readlink", "/proc/self/ns/ipc"),
  );
  await said("run", "-d", "--name", "lonely", "busybox", "sleep", "1000");
  expect((await docker("run", "--rm", "--ipc", "container:lonely", "busybox", "true")).err).toContain(
    "non-shareable IPC (hint: use IpcMode:shareable for the donor container)",
  );
  await said("stop", "-t", "0", "donor");
  expect((await docker("run", "--rm", "--pid", "container:donor", "busybox", "true")).err).toContain("is not running");
  await said("rm", "-f", "donor", "lonely");
  expect((await docker("run", "--rm", "--uts", "host", "-h", "x", "busybox", "true")).err).toContain(
    "conflicting options",
  );
});

test("block throttles, swappiness, the spared killer and device rules reach the cgroup", async () => {
  const device = (
    await said("run", "--rm", "--privileged", "busybox", "sh", "-c", "ls /dev | grep -E '^(vd|sd|nvme)' | head -1")
  ).trim();
  const limits = ["--device-read-bps", `/dev/${device}:1mb`, "--device-write-iops", `/dev/${device}:100`];
  const more = ["--memory-swappiness", "10", "--oom-kill-disable", "-m", "64m", "--device-cgroup-rule", "c 10:200 rw"];
  await said("run", "-d", "--name", "limited", ...limits, ...more, "busybox", "sleep", "1000");
  const read = (file: string) => said("exec", "limited", "cat", `/sys/fs/cgroup/${file}`);
  const at = (controller: string, file: string) => `${controller}/${file}`;
  expect(await read(at("blkio", "blkio.throttle.read_bps_device"))).toMatch(/^\d+:\d+ 1048576$/m);
  expect(await read(at("blkio", "blkio.throttle.write_iops_device"))).toMatch(/^\d+:\d+ 100$/m);
  expect(await read(at("memory", "memory.swappiness"))).toBe("10");
  expect(await read(at("memory", "memory.oom_control"))).toContain("oom_kill_disable 1");
  expect(await read(at("devices", "devices.list"))).toContain("c 10:200 rw");
  await said("rm", "-f", "limited");
});

test("a container without a log is heard by who is attached, and its logs are refused by Docker's words", async () => {
  expect(await said("run", "--name", "silent", "--log-driver", "none", "busybox", "echo", "heard")).toBe("heard");
  expect((await docker("logs", "silent")).err).toContain("configured logging driver does not support reading");
  expect(await said("inspect", "-f", "{{.HostConfig.LogConfig.Type}}", "silent")).toBe("none");
  await said("rm", "silent");
  expect((await docker("run", "--log-driver", "syslog", "busybox", "true")).err).toContain(
    "Known are json-file, local",
  );
});

test("links, quotas and real-time limits are refused with what to do instead", async () => {
  const refused = async (...words: string[]) => (await docker("create", ...words, "busybox", "true")).err;
  expect(await refused("--link", "a:b")).toContain("Put both containers into one network");
  expect(await refused("--storage-opt", "size=1G")).toContain("pquota");
  expect(await refused("--cpu-rt-runtime", "1000")).toContain("--ulimit rtprio");
  expect(await said("ps", "-aq")).toBe("");
});
