import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isKind } from "#base/core/errors.ts";
import { cgroupLayout } from "#base/system/cgroup/layout.ts";
import { mount, unmount } from "#base/system/mounts/mount.ts";
import type { ContainerSpec, RunOptions } from "./contract.ts";
import { openCrun } from "./crun.ts";
import { busyboxScene } from "./testing/busybox-root.ts";

type Overrides = Omit<Partial<ContainerSpec>, "process"> & { process?: Partial<ContainerSpec["process"]> };

let count = 0;

function scene() {
  const base = busyboxScene();
  const runtime = openCrun({ state: join(base.folder, "crun") });
  const run = async (args: readonly string[], { process, ...rest }: Overrides = {}, more: Partial<RunOptions> = {}) => {
    const id = `gantry-test-${globalThis.process.pid}-${++count}`;
    const bundle = join(base.folder, id);
    mkdirSync(bundle);
    const out = { stdout: "", stderr: "" };
    const exit = await runtime.run({
      id,
      bundle,
      spec: {
        rootfs: base.rootfs,
        namespaces: { network: { kind: "new" } },
        cgroup: `/${id}`,
        process: { args, ...process },
        ...rest,
      },
      onOutput: (stream, bytes) => {
        out[stream] += Buffer.from(bytes).toString();
      },
      ...more,
    });
    return { code: exit.code, ...out };
  };
  const sh = (script: string, overrides: Overrides = {}, more: Partial<RunOptions> = {}) =>
    run(["sh", "-c", script], overrides, more);
  return { ...base, runtime, run, sh };
}

const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

test("a program's output and exit code come back, and nothing is left", async () => {
  using place = scene();
  expect(await place.sh("echo out; echo err >&2; exit 7")).toEqual({ code: 7, stdout: "out\n", stderr: "err\n" });
  expect(readdirSync(join(place.folder, "crun"))).toEqual([]);
});

test("a program that is not there is not-found, by name", async () => {
  using place = scene();
  const error = await failure(place.run(["nothing-like-it"]));
  expect(isKind(error, "not-found")).toBe(true);
  expect(String(error)).toContain("nothing-like-it");
});

test("a process has descriptors 0, 1 and 2 and no others, no inheritable capabilities, and is filtered", async () => {
  using place = scene();
  const { stdout } = await place.sh(
    "echo /proc/self/fd/*; grep -E 'CapInh|CapAmb|CapBnd|NoNewPrivs|Seccomp:' /proc/self/status",
  );
  expect(stdout).toContain("/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2");
  expect(stdout).not.toContain("/proc/self/fd/4");
  expect(stdout).toContain("CapInh:\t0000000000000000");
  expect(stdout).toContain("CapAmb:\t0000000000000000");
  expect(stdout).toContain("CapBnd:\t00000000a80425fb");
  expect(stdout).toContain("Seccomp:\t2");
});

test("the kernel's files are masked or read-only, /dev is fresh, cgroups cannot be written", async () => {
  using place = scene();
  // An image whose /dev leads astray (CVE-2026-88264).
  symlinkSync("/etc/passwd", join(place.rootfs, "dev/null"));
  symlinkSync("/etc/passwd", join(place.rootfs, "dev/console"));
  const { stdout } = await place.sh(
    `(echo x >/proc/sys/kernel/hostname) 2>&1; ls /sys/devices/virtual/powercap /sys/firmware | grep -v : ;
     ls -l /dev/null | cut -c1 2>/dev/null; test -c /dev/null && echo null is a device; mkdir /sys/fs/cgroup/memory/x /sys/fs/cgroup/x 2>&1; true`,
  );
  expect(stdout).toContain("/proc/sys/kernel/hostname: Read-only file system");
  expect(stdout).toContain("null is a device");
  for (const place of ["/sys/fs/cgroup/memory/x", "/sys/fs/cgroup/x"]) {
    expect(stdout).toContain(`can't create directory '${place}': Read-only file system`);
  }
  const privileged = await place.sh("touch /sys/fs/cgroup/x && echo written", { privileged: true });
  expect(privileged.stdout).toBe("written\n");
});

test("new namespaces and mounts are refused; a capability opens what goes with it", async () => {
  using place = scene();
  const denied = await place.sh("unshare -U true 2>&1; mount -t tmpfs x /tmp 2>&1; unshare -n true 2>&1");
  expect(denied.stdout.match(/Operation not permitted|permission denied/gi)).toHaveLength(3);
  const opened = await place.sh("mount -t tmpfs x /tmp && echo mounted", {
    process: { capabilities: { add: ["CAP_SYS_ADMIN"] } },
  });
  expect(opened.stdout).toBe("mounted\n");
});

test("AF_ALG sockets are refused, by socket(2) and by the 32-bit socketcall(2) (CVE-2026-31431)", async () => {
  using place = scene();
  writeFileSync(join(place.rootfs, "bin/af-alg-32"), socketcallProgram(38), { mode: 0o755 });
  const [eperm, enosys] = [1, 38];
  expect([eperm, enosys]).toContain((await place.run(["/bin/af-alg-32"])).code);
  expect((await place.run(["/bin/af-alg-32"], { seccomp: "unconfined" })).code).not.toBe(enosys);
  const host = ["/usr", "/lib", "/lib64"].filter((path) => existsSync(path));
  const mounts = host.map((path) => ({ type: "bind", source: path, target: path, readonly: true }) as const);
  const script = 'socket(S, 38, 5, 0) or print "$!\\n"; socket(S, 1, 1, 0) and print "unix works\\n"';
  const { stdout } = await place.run(["/usr/bin/perl", "-e", script], { mounts });
  expect(stdout).toBe("Operation not permitted\nunix works\n");
});

/** A 32-bit program whose exit code is the errno of socketcall(SYS_SOCKET, {family, SOCK_SEQPACKET, 0}). */
function socketcallProgram(family: number): Buffer {
  const base = 0x0804_8000;
  const code = [
    0xb8, 102, 0, 0, 0, 0xbb, 1, 0, 0, 0, 0xb9, 0, 0, 0, 0, 0xcd, 0x80, 0xf7, 0xd8, 0x89, 0xc3, 0xb8, 1, 0, 0, 0, 0xcd,
    0x80,
  ];
  const start = 52 + 32;
  const size = start + code.length + 12;
  const file = Buffer.alloc(size);
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  const shorts = (at: number, ...values: number[]) =>
    values.forEach((value, i) => void file.writeUInt16LE(value, at + i * 2));
  const longs = (at: number, ...values: number[]) =>
    values.forEach((value, i) => void file.writeUInt32LE(value, at + i * 4));
  shorts(16, 2, 3);
  longs(20, 1, base + start, 52, 0, 0);
  shorts(40, 52, 32, 1, 0, 0, 0);
  longs(52, 1, 0, base, base, size, size, 5, 0x1000);
  file.set(code, start);
  longs(start + 11, base + start + code.length);
  longs(start + code.length, family, 5, 0);
  return file;
}

test("user, groups, home and working folder are as asked; a missing folder is made", async () => {
  using place = scene();
  const { stdout } = await place.sh("id; pwd; echo $HOME", { process: { user: "ada", cwd: "/work/deep" } });
  expect(stdout).toContain("uid=1000(ada) gid=1000(ada) groups=1000(ada),2000(lab)");
  expect(stdout).toContain("/work/deep\n/home/ada\n");
});

test("environment, host name, sysctl, ulimit, read-only root, tmpfs and bind mounts arrive", async () => {
  using place = scene();
  const data = join(place.folder, "data");
  mkdirSync(data);
  writeFileSync(join(data, "file"), "content\n");
  const { stdout, code } = await place.sh(
    `echo $A $HOSTNAME; hostname; cat /proc/sys/net/ipv4/ip_forward; ulimit -n; touch /x 2>&1; touch /scratch/y && echo scratch;
     cat /data/file; touch /data/z 2>&1; cat /proc/self/oom_score_adj`,
    {
      hostname: "box",
      readonlyRootfs: true,
      sysctls: { "net.ipv4.ip_forward": "1" },
      mounts: [
        { type: "tmpfs", target: "/scratch", size: 65536 },
        { type: "bind", source: data, target: "/data", readonly: true },
      ],
      process: { env: ["A=b c"], ulimits: [{ name: "nofile", soft: 99, hard: 100 }], oomScoreAdj: 500 },
    },
  );
  expect(code).toBe(0);
  expect(stdout.split("\n")).toEqual([
    "b c box",
    "box",
    "1",
    "99",
    "touch: /x: Read-only file system",
    "scratch",
    "content",
    "touch: /data/z: Read-only file system",
    "500",
    "",
  ]);
});

test("memory, processor and process limits are really set, and a fork bomb is held", async () => {
  if (cgroupLayout().version !== "v1") return;
  using place = scene();
  const read = (controller: string, file: string) => `cat /sys/fs/cgroup/${controller}/${file}`;
  const { stdout } = await place.sh(
    [read("memory", "memory.limit_in_bytes"), read("cpu", "cpu.cfs_quota_us"), read("pids", "pids.max")].join(";"),
    { resources: { memory: 33_554_432, memorySwap: 33_554_432, cpuQuota: 50_000, cpuPeriod: 100_000, pids: 20 } },
  );
  expect(stdout).toBe("33554432\n50000\n20\n");
  const bomb = await place.sh("i=0; while [ $i -lt 60 ]; do sleep 5 & i=$((i+1)); done; echo made", {
    resources: { pids: 20 },
  });
  expect(bomb.stderr).toContain("can't fork");
});

test("an abort ends every process within a second and leaves no cgroup", async () => {
  using place = scene();
  const abort = new AbortController();
  const began = Promise.withResolvers<void>();
  const running = failure(
    place.sh("trap '' TERM; sleep 1000 & echo up; wait", {}, { signal: abort.signal, onOutput: () => began.resolve() }),
  );
  await began.promise;
  const from = performance.now();
  abort.abort();
  expect(isKind(await running, "cancelled")).toBe(true);
  expect(performance.now() - from).toBeLessThan(1000);
  const layout = cgroupLayout();
  if (layout.version === "v1") {
    const left = readdirSync(join(layout.controllers.get("memory")!)).filter((n) => n.startsWith("gantry-"));
    expect(left).toEqual([]);
  }
});

test("an init reaps and hands signals on, and its program is process 2", async () => {
  using place = scene();
  const { stdout } = await place.sh("echo $$; cat /proc/1/comm", { init: true });
  expect(stdout).toBe("2\ndocker-init\n");
});

test("an asked limit above the machine's, a working folder in /proc/self/fd and a missing source are refused", async () => {
  using place = scene();
  const many = await failure(
    place.run(["true"], { process: { ulimits: [{ name: "nofile", soft: 1024, hard: 2 ** 40 }] } }),
  );
  expect(isKind(many, "invalid")).toBe(true);
  expect(String(many)).toContain("above this machine's hard limit of");
  for (const cwd of ["/proc/self/fd/8", "/proc/self/../self/fd/3/x", "/proc/1/fd/3", "/dev/fd/9", "relative"]) {
    expect(isKind(await failure(place.run(["true"], { process: { cwd } })), "invalid")).toBe(true);
  }
  const source = await failure(place.run(["true"], { mounts: [{ type: "bind", source: "/absent/x", target: "/x" }] }));
  expect(String(source)).toContain("the source does not exist");
  expect(existsSync(join(place.folder, "absent"))).toBe(false);
});

test("a read-only bind is read-only all the way down, unless only its top is asked for", async () => {
  using place = scene();
  const tree = join(place.folder, "tree");
  mkdirSync(join(tree, "below"), { recursive: true });
  using _below = mountedTmpfs(join(tree, "below"));
  const touch = (more: object) =>
    place.sh("touch /x/top 2>/dev/null || echo no; touch /x/below/file 2>/dev/null || echo no", {
      mounts: [{ type: "bind", source: tree, target: "/x", readonly: true, ...more }],
    });
  expect((await touch({})).stdout).toBe("no\nno\n");
  expect((await touch({ topReadonly: true })).stdout).toBe("no\n");
  expect(readdirSync(join(tree, "below"))).toEqual(["file"]);
  writeFileSync(join(tree, "one"), "text");
  const mounts = [{ type: "bind", source: join(tree, "one"), target: "/one", readonly: true }] as const;
  expect((await place.sh("cat /one; echo x 2>/dev/null > /one || echo no", { mounts })).stdout).toBe("textno\n");
});

function mountedTmpfs(target: string): Disposable {
  mount({ source: "tmpfs", target, type: "tmpfs" });
  return { [Symbol.dispose]: () => void unmount(target) };
}
