import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tarStream } from "#formats/tar/streams.ts";
import { tarEntry } from "#formats/tar/writer.ts";
import { run, startEngine, type TestEngine } from "./support/engine.ts";

/** What attacks on container engines did, one test a class, named by the CVE it is known by. */
let engine: TestEngine;
let canaries: string;
beforeAll(async () => {
  engine = await startEngine();
  canaries = join(engine.folder, "canaries");
  mkdirSync(canaries);
  writeFileSync(join(canaries, "canary"), "untouched");
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

async function expectHostUntouched(): Promise<void> {
  expect(readdirSync(canaries)).toEqual(["canary"]);
  expect(readFileSync(join(canaries, "canary"), "utf8")).toBe("untouched");
  expect(await (await ask("/_ping")).text()).toBe("OK");
}

const ask = (path: string, init: RequestInit = {}) =>
  fetch(`http://engine${path}`, { ...init, unix: engine.socket } as RequestInit);

/** A container of busybox that sleeps or runs a script, removed at the end. */
async function container(script = "sleep 1000", ...flags: string[]): Promise<{ id: string } & AsyncDisposable> {
  const id = await engine.ok("run", "-d", ...flags, "busybox", "sh", "-c", script);
  return {
    id,
    async [Symbol.asyncDispose]() {
      await engine.ok("rm", "-f", "-v", id);
    },
  };
}

/** Builds an image from lines and a context that `fill` writes; removed at the end. */
async function image(
  name: string,
  dockerfile: string,
  fill: (context: string) => void = () => undefined,
): Promise<{ name: string } & AsyncDisposable> {
  const context = join(engine.folder, `context-${name}`);
  mkdirSync(context);
  fill(context);
  const { code, err } = await engine.feed(dockerfile, "build", "-q", "-t", name, "-f", "-", context);
  rmSync(context, { recursive: true });
  expect({ code, err }).toMatchObject({ code: 0 });
  return {
    name,
    async [Symbol.asyncDispose]() {
      await engine.ok("rmi", "-f", name);
    },
  };
}

async function oneFileTar(name: string, content: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = Buffer.from(content);
  const stream = tarStream(async (tar) => {
    await tar.entry(tarEntry({ name: Buffer.from(name), type: "file", mode: 0o755, size: bytes.length }), bytes);
  });
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const hashOf = (path: string) => new Bun.CryptoHasher("sha256").update(readFileSync(path)).digest("hex");

/** A static x86-64 program: `call` through int 0x80, then exit(-result); three words {38, 5, 0} stand 40 bytes on. */
function tinyProgram(call: readonly number[]): Uint8Array {
  const file = Buffer.alloc(0x78 + 52);
  const entry = 0x400078;
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  file.writeUInt16LE(2, 16);
  file.writeUInt16LE(62, 18);
  file.writeUInt32LE(1, 20);
  file.writeUInt32LE(entry, 24);
  file.writeUInt32LE(64, 32);
  file.writeUInt16LE(64, 52);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(1, 56);
  // One segment, read and execute, the whole file.
  file.writeUInt32LE(1, 64);
  file.writeUInt32LE(5, 68);
  file.writeUInt32LE(0x400000, 80);
  file.writeUInt32LE(0x400000, 88);
  file.writeUInt32LE(file.length, 96);
  file.writeUInt32LE(file.length, 104);
  file.writeUInt32LE(0x1000, 112);
  file.set([...call, 0xcd, 0x80, 0x89, 0xc7, 0xf7, 0xdf, 0xb8, 60, 0, 0, 0, 0x0f, 0x05], 0x78);
  file.writeUInt32LE(38, 0x78 + 40);
  file.writeUInt32LE(5, 0x78 + 44);
  return file;
}

/** Perl of the host, read-only: a program that can make any system call, in a container that has none. */
const library = "/h/lib/x86_64-linux-gnu";
const perl = [`${library}/ld-linux-x86-64.so.2`, "--library-path", library, "/h/bin/perl", "-e"];

test("CVE-2024-40635: a user id beyond 31 bits is refused and never becomes root", async () => {
  await using sleeper = await container();
  for (const user of ["4294967296", "-1", "2147483648", "0x0", "1000:4294967296"]) {
    await using built = await image("huge-user", `FROM busybox\nUSER ${user}\n`);
    for (const { code, out } of [
      await engine.gantry("run", "--rm", "-u", user, "busybox", "id", "-u"),
      await engine.gantry("run", "--rm", built.name, "id", "-u"),
      await engine.gantry("exec", "-u", user, sleeper.id, "id", "-u"),
    ]) {
      expect({ user, out }).toEqual({ user, out: "" });
      expect(code).not.toBe(0);
    }
  }
});

test("CVE-2026-47262: user files of a gigabyte are read within bounds", async () => {
  await using sleeper = await container();
  const pid = await engine.pid();
  const peak = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]);
  for (const file of ["/etc/group", "/etc/passwd"]) {
    await engine.ok("exec", sleeper.id, "dd", "if=/dev/zero", `of=${file}`, "bs=1", "count=0", "seek=1G");
    const before = peak();
    const start = performance.now();
    await engine.gantry("exec", "-u", "user:staff", sleeper.id, "true");
    expect(peak() - before).toBeLessThan(100 * 1024);
    expect(performance.now() - start).toBeLessThan(5000);
  }
});

test("CVE-2022-4318: a line break in HOME, the user or the host name adds no line to a file of the container", async () => {
  const evil = "/x\nroot2:x:0:0::/:/bin/sh";
  const read = ["busybox", "sh", "-c", "cat /etc/passwd /etc/group /etc/hosts"];
  for (const flags of [
    ["-e", `HOME=${evil}`],
    ["-e", `USER=${evil}`],
    ["-u", evil],
    ["-h", evil],
    ["-w", evil],
    ["--add-host", `${evil}:1.2.3.4`],
  ]) {
    const { out } = await engine.gantry("run", "--rm", ...flags, ...read);
    expect({ flags, lines: out.split("\n").filter((line) => line.startsWith("root2")) }).toEqual({ flags, lines: [] });
  }
});

test("CVE-2022-23648: an image volume that climbs out copies nothing of the host", async () => {
  await using built = await image("climber", 'FROM busybox\nVOLUME ["/../../../../../../../../etc"]\n');
  const { code, out, err } = await engine.gantry("run", "--rm", built.name, "ls", "/etc");
  expect({ code, out }).toEqual({ code: 125, out: "" });
  expect(err).toContain("..");
});

test("CVE-2019-5736: neither an entrypoint of /proc/self/exe nor a race with exec changes a program of the host", async () => {
  const programs = ["/usr/bin/crun", "/usr/bin/conmon", process.execPath, "/usr/bin/nsenter"];
  const before = programs.map(hashOf);
  await engine.gantry("run", "--rm", "--entrypoint", "/proc/self/exe", "busybox", "--version");
  await using script = await image(
    "self-exe",
    'FROM busybox\nRUN printf "#!/proc/self/exe\\n" > /bin/evil && chmod 755 /bin/evil\n',
  );
  await engine.gantry("run", "--rm", script.name, "/bin/evil");
  // Waits for the file that a runtime entering the container has open, and writes to it until it may.
  const attack =
    "while :; do for p in /proc/[0-9]*; do [ $p = /proc/1 ] || (echo evil > $p/exe) 2>/dev/null; done; done";
  await using attacker = await container(
    `cp /bin/busybox /bin/keep; echo ready; exec /bin/keep sh -c '${attack}'`,
    "--pids-limit",
    "200",
  );
  for (let tries = 0; tries < 10; tries += 1) {
    await engine.gantry("exec", attacker.id, "/proc/self/exe");
    await engine.gantry("exec", attacker.id, "/bin/keep", "true");
  }
  expect(programs.map(hashOf)).toEqual(before);
});

test("CVE-2024-21626: no working folder is a descriptor of the engine, in run, exec and images", async () => {
  await using sleeper = await container();
  for (const descriptor of ["3", "7", "8", "9", "12", "20", "30"]) {
    const folder = `/proc/self/fd/${descriptor}`;
    for (const path of [folder, `/proc/1/../self/fd/${descriptor}`, `/tmp/../proc/self/fd/${descriptor}/..`]) {
      const started = await engine.gantry("run", "--rm", "-w", path, "busybox", "ls", "../../../../etc/hostname", ".");
      const joined = await engine.gantry("exec", "-w", path, sleeper.id, "ls", "../../../../etc/hostname", ".");
      expect({ path, run: started.code !== 0, exec: joined.code !== 0 }).toEqual({ path, run: true, exec: true });
      expect(started.out + joined.out).not.toContain("hostname");
    }
  }
  // Led there by a link of the image instead of by name.
  await using linked = await image("linked", "FROM busybox\nRUN ln -s /proc/self/fd/8 /work\n");
  expect((await engine.gantry("run", "--rm", "-w", "/work", linked.name, "pwd")).out).not.toContain("/proc");
  const { code, err } = await engine.feed("FROM busybox\nWORKDIR /proc/self/fd/8\n", "build", "-f", "-", canaries);
  expect(code).toBe(1);
  expect(err).toContain("line 2");
});

test("CVE-2016-9962: a program finds its three descriptors and none of the engine's, in run and exec, with and without a terminal", async () => {
  await using sleeper = await container();
  const list = ["sh", "-c", "echo $(ls /proc/self/fd)"];
  // 3 is the folder that ls itself reads.
  for (const words of [
    ["run", "--rm", "busybox"],
    ["run", "--rm", "-t", "busybox"],
    ["run", "--rm", "--init", "busybox"],
    ["exec", sleeper.id],
    ["exec", "-t", sleeper.id],
  ]) {
    expect({ words, out: await engine.ok(...words, ...list) }).toEqual({ words, out: "0 1 2 3" });
  }
});

test("CVE-2025-31133, CVE-2026-88264: an image that ships its own devices as links gets the engine's fresh /dev", async () => {
  await using built = await image("own-devices", "FROM busybox\nCOPY . /\n", (context) => {
    mkdirSync(join(context, "dev"));
    for (const name of ["console", "null", "zero", "ptmx", "pts", "shm", "mqueue"]) {
      symlinkSync(join(canaries, "canary"), join(context, "dev", name));
    }
  });
  const core = readFileSync("/proc/sys/kernel/core_pattern", "utf8");
  const look = "stat -c '%F %t %T' /dev/null /dev/zero; stat -f -c %T /dev; echo over > /dev/null; ls -l /dev/console";
  const out = await engine.ok("run", "--rm", built.name, "sh", "-c", `${look} 2>/dev/null || true`);
  expect(out.split("\n").slice(0, 3)).toEqual(["character special file 1 3", "character special file 1 5", "tmpfs"]);
  const terminal = await engine.ok("run", "--rm", "-t", built.name, "sh", "-c", "stat -c %F /dev/console");
  expect(terminal).toContain("character special file");
  await using dev = await image("dev-link", "FROM busybox\nCOPY . /\n", (context) =>
    symlinkSync("/tmp", join(context, "dev")),
  );
  await engine.gantry("run", "--rm", dev.name, "true");
  expect(readFileSync("/proc/sys/kernel/core_pattern", "utf8")).toBe(core);
  await expectHostUntouched();
});

test("CVE-2019-16884, CVE-2023-27561: a volume over /proc is refused, and /proc or /sys as a link leads nowhere", async () => {
  for (const place of ["/proc", "/proc/self", "/sys", "/sys/kernel", "/"]) {
    await using built = await image("proc-volume", `FROM busybox\nVOLUME ${place}\n`);
    const { code, err } = await engine.gantry("run", "--rm", built.name, "true");
    expect({ place, code }).toEqual({ place, code: 125 });
    expect(err).toContain(place);
  }
  for (const name of ["proc", "sys"]) {
    await using built = await image("proc-link", "FROM busybox\nCOPY . /\n", (context) =>
      symlinkSync("/tmp/elsewhere", join(context, name)),
    );
    const { code, out } = await engine.gantry("run", "--rm", built.name, "sh", "-c", "ls /tmp/elsewhere; echo ran");
    expect({ name, refused: code !== 0, out }).toEqual({ name, refused: true, out: "" });
  }
});

test("CVE-2022-0811: a sysctl outside the container's own namespaces, or one that carries a second, is refused", async () => {
  const core = readFileSync("/proc/sys/kernel/core_pattern", "utf8");
  for (const sysctl of [
    "net.ipv4.ip_forward=1+kernel.core_pattern=|/x",
    "net.ipv4.ip_forward=1\nkernel.core_pattern=x",
    "kernel.core_pattern=x",
    "kernel/core_pattern=x",
    "net.ipv4.../../kernel/core_pattern=x",
    "net/../kernel/core_pattern=x",
    "vm.overcommit_memory=1",
  ]) {
    const { code, err } = await engine.gantry("run", "--rm", "--sysctl", sysctl, "busybox", "true");
    expect({ sysctl, code }).toEqual({ sysctl, code: 125 });
    expect(err).toContain("sysctl");
  }
  const host = await engine.gantry(
    "run",
    "--rm",
    "--net",
    "host",
    "--sysctl",
    "net.ipv4.ip_forward=1",
    "busybox",
    "true",
  );
  expect(host.code).toBe(125);
  expect(readFileSync("/proc/sys/kernel/core_pattern", "utf8")).toBe(core);
});

test("CVE-2022-24769: no capability is inheritable, for root and for others, in run and exec", async () => {
  await using sleeper = await container();
  for (const user of ["root", "user"]) {
    for (const words of [
      ["run", "--rm", "-u", user, "busybox"],
      ["run", "--rm", "-u", user, "--cap-add", "SYS_TIME", "busybox"],
      ["exec", "-u", user, sleeper.id],
    ]) {
      const status = await engine.ok(...words, "grep", "-E", "CapInh|CapAmb|CapEff", "/proc/self/status");
      expect(status).toContain("CapInh:\t0000000000000000");
      expect(status).toContain("CapAmb:\t0000000000000000");
      if (user === "user") expect(status).toContain("CapEff:\t0000000000000000");
    }
  }
});

test("CVE-2018-10892: the kernel's dangerous files are masked or read-only", async () => {
  const script = `
    for f in /proc/acpi /sys/firmware /sys/devices/virtual/powercap /proc/scsi; do [ -e $f ] && ls -A $f; done
    for f in /proc/kcore /proc/keys /proc/latency_stats /proc/timer_list /proc/sched_debug; do [ -e $f ] && cat $f; done
    for f in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /sys/kernel/uevent_helper /proc/irq/0/smp_affinity /sys/power/state; do
      (echo x > $f) 2>/dev/null && echo wrote $f; done; true`;
  expect(await engine.ok("run", "--rm", "busybox", "sh", "-c", script)).toBe("");
});

test("CVE-2022-0492: a container mounts no cgroup tree and writes no release agent", async () => {
  const script = `mkdir /tmp/c
    mount -t cgroup -o memory none /tmp/c; mount -t cgroup2 none /tmp/c; mount -t proc none /tmp/c
    for f in /sys/fs/cgroup/*/release_agent /sys/fs/cgroup/*/tasks; do (echo /x > $f) 2>/dev/null && echo wrote; done
    ls /tmp/c`;
  expect((await engine.gantry("run", "--rm", "busybox", "sh", "-c", script)).out).toBe("");
});

test("CVE-2020-15257: a container in the host's network finds no abstract socket of the engine", async () => {
  await using sleeper = await container();
  await engine.ok("exec", sleeper.id, "true");
  const seen = await engine.ok("run", "--rm", "--network", "host", "busybox", "cat", "/proc/net/unix");
  const abstract = seen
    .split("\n")
    .map((line) => line.trim().split(/\s+/)[7] ?? "")
    .filter((path) => path.startsWith("@"));
  expect(abstract.filter((path) => /gantry|conmon|crun|containerd/.test(path))).toEqual([]);
});

test("CVE-2021-41091: an unprivileged user of the host walks neither the data root nor the run folder", async () => {
  await using owner = await container(
    "cp /bin/busybox /tmp/suid; chmod 4755 /tmp/suid; sleep 1000",
    "-v",
    "kept:/kept",
  );
  await engine.ok("exec", owner.id, "sh", "-c", "chmod 777 /kept; cp /bin/busybox /kept/suid; chmod 4755 /kept/suid");
  // The folder a test engine is in is closed itself; a user's is open.
  chmodSync(engine.folder, 0o755);
  const nobody = (...words: string[]) =>
    run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", ...words], { PATH: engine.env.PATH! });
  const found = await nobody("find", engine.env.GANTRY_DATA_ROOT!, engine.env.GANTRY_RUN_ROOT!, "-perm", "-4000");
  expect(found.out).toBe("");
  for (const folder of [
    "data/layers",
    "data/blobs",
    "data/containers",
    "data/volumes",
    "run/containers",
    "run/holder",
    "run/netns",
  ]) {
    expect({ folder, code: (await nobody("ls", join(engine.folder, folder))).code }).toEqual({ folder, code: 2 });
  }
  // Knowing the name does not help either.
  expect((await nobody(join(engine.folder, "data/volumes/kept/suid"), "id")).code).not.toBe(0);
  expect((await nobody(join(engine.folder, "data/volumes/kept/_data/suid"), "id")).code).not.toBe(0);
  const database = await nobody("cat", join(engine.folder, "data/gantry.db"));
  expect(database).toMatchObject({ out: "" });
  expect((await nobody("cat", join(engine.folder, "data/engine.log"))).out).toBe("");
  expect((await nobody("curl", "-s", "--unix-socket", engine.socket, "http://engine/info")).out).toBe("");
  chmodSync(engine.folder, 0o700);
});

test("CVE-2026-31431: sockets of the kernel's crypto and of virtual machines are refused by the filter", async () => {
  const script = 'for (38, 40) { print(socket(my $s, $_, 5, 0) ? "$_ open\\n" : "$_ " . ($!+0) . "\\n") }';
  const out = await engine.ok("run", "--rm", "-v", "/usr:/h:ro", "busybox", ...perl, script);
  expect(out.split("\n")).toEqual(["38 1", "40 1"]);
});

test.if(process.arch === "x64")(
  "CVE-2026-31431: the 32-bit calls of the same machine are no way round the filter",
  async () => {
    const folder = join(engine.folder, "old-calls");
    mkdirSync(folder);
    // exit(-socketcall(SYS_SOCKET, {AF_ALG, SOCK_SEQPACKET, 0})) and exit(-socket(...)), both through int 0x80.
    const socketcall = [0xb8, 102, 0, 0, 0, 0xbb, 1, 0, 0, 0, 0xb9, 0x78 + 40, 0, 0x40, 0];
    const socket = [0xb8, 0x67, 1, 0, 0, 0xbb, 38, 0, 0, 0, 0xb9, 5, 0, 0, 0, 0x31, 0xd2];
    for (const [name, call] of Object.entries({ socketcall, socket })) {
      writeFileSync(join(folder, name), tinyProgram(call), { mode: 0o755 });
      const { code } = await engine.gantry("run", "--rm", "-v", `${folder}:/h:ro`, "busybox", `/h/${name}`);
      // EPERM, ENOSYS where the kernel has no such calls, or ended by SIGSYS; a socket would be a descriptor.
      expect([1, 38, 128 + 31, 128 + 11]).toContain(code);
    }
  },
);

test("CVE-2026-53488: labels and annotations of images and containers drive nothing", async () => {
  const lines = [
    "gantry.mounts=/:/host",
    "io.containerd.runtime=/bin/sh",
    "io.kubernetes.cri.untrusted=true",
    "run.oci.keep_original_groups=1",
    "run.oci.hooks.stdout=/tmp/x",
    "org.systemd.property.DevicePolicy=auto",
    "io.podman.annotations.privileged=TRUE",
    "com.docker.network.container_iface_driver=x",
  ];
  await using built = await image("labelled", `FROM busybox\n${lines.map((line) => `LABEL ${line}`).join("\n")}\n`);
  const facts = ["sh", "-c", "grep Cap /proc/self/status; cut -d' ' -f5 /proc/self/mountinfo | sort; ls /dev"];
  const plain = await engine.ok("run", "--rm", "busybox", ...facts);
  expect(await engine.ok("run", "--rm", built.name, ...facts)).toBe(plain);
  expect(await engine.ok("run", "--rm", ...lines.flatMap((line) => ["-l", line]), "busybox", ...facts)).toBe(plain);
});

test("CVE-2026-6406: a mount asked through Binds, Mounts, Tmpfs or Volumes meets the same check", async () => {
  const create = (config: object) =>
    ask("/v1.51/containers/create", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ Image: "busybox", Cmd: ["true"], ...config }),
    });
  const started = async (response: Response): Promise<number> => {
    const { Id: id, message } = (await response.json()) as { Id?: string; message?: string };
    if (id === undefined) return message === undefined ? 0 : response.status;
    const { status } = await ask(`/v1.51/containers/${id}/start`, { method: "POST" });
    await ask(`/v1.51/containers/${id}?force=1&v=1`, { method: "DELETE" });
    return status;
  };
  for (const target of ["/proc", "/proc/sys", "/sys/kernel", "/x/../proc", "relative", "/"]) {
    const forms = {
      Binds: { HostConfig: { Binds: [`${canaries}:${target}`] } },
      "Mounts bind": { HostConfig: { Mounts: [{ Type: "bind", Source: canaries, Target: target }] } },
      "Mounts volume": { HostConfig: { Mounts: [{ Type: "volume", Source: "v87", Target: target }] } },
      "Mounts tmpfs": { HostConfig: { Mounts: [{ Type: "tmpfs", Target: target }] } },
      Tmpfs: { HostConfig: { Tmpfs: { [target]: "" } } },
      Volumes: { Volumes: { [target]: {} } },
    };
    for (const [form, config] of Object.entries(forms)) {
      const status = await started(await create(config));
      expect({ target, form, refused: status >= 400 && status < 500 }).toEqual({ target, form, refused: true });
    }
  }
  const twice = [
    { HostConfig: { Binds: [`${canaries}:/x`], Mounts: [{ Type: "tmpfs", Target: "/x" }] } },
    { HostConfig: { Binds: [`${canaries}:/x`, `${canaries}:/x/`] } },
    {
      HostConfig: {
        Mounts: [
          { Type: "tmpfs", Target: "/x" },
          { Type: "volume", Source: "v87", Target: "/x" },
        ],
      },
    },
  ];
  for (const config of twice) expect((await create(config)).status).toBe(400);
});

test("CVE-2020-14370, CVE-2019-13509: a variable of one container is in no answer about another and in no log of the engine", async () => {
  const secret = "hunter2-of-container-a";
  await using first = await container("sleep 1000", "-e", `PASSWORD=${secret}`);
  await using second = await container();
  expect(await engine.ok("inspect", first.id)).toContain(secret);
  expect(await engine.ok("inspect", second.id)).not.toContain(secret);
  expect(await engine.ok("exec", second.id, "env")).not.toContain(secret);
  expect(await engine.ok("ps", "-a", "--no-trunc")).not.toContain(secret);
  expect(await engine.ok("info", "--json")).not.toContain(secret);
  expect(readFileSync(join(engine.folder, "data/engine.log"), "utf8")).not.toContain(secret);
  const events = await ask(`/v1.51/events?since=0&until=${Math.ceil(Date.now() / 1000)}`);
  expect(await events.text()).not.toContain(secret);
});

test("CVE-2018-15664, CVE-2026-41568, CVE-2026-42306: cp into a path that the container swaps for a link stays inside", async () => {
  const swap = `mkdir -p /tmp/t /tmp/v; echo ready
    while :; do
      mv /tmp/t /tmp/t2; ln -s ${canaries} /tmp/t; rm /tmp/t; mv /tmp/t2 /tmp/t
    done`;
  await using racer = await container(swap, "-v", "race:/tmp/t/vol");
  const tar = await oneFileTar("pwned", "pwned");
  const over = await oneFileTar("canary", "pwned");
  const seen = new Set<number>();
  for (let tries = 0; tries < 100; tries += 1) {
    const path = tries % 2 === 0 ? "/tmp/t" : "/tmp/t/vol";
    const put = (body: Uint8Array<ArrayBuffer>) =>
      ask(`/v1.51/containers/${racer.id}/archive?path=${path}`, { method: "PUT", body });
    const answers = await Promise.all([put(tar), put(over)]);
    for (const { status } of answers) seen.add(status);
  }
  // Both happened: some came while the folder was there, some while it was not.
  expect(seen.size).toBeGreaterThan(1);
  expect([...seen].filter((status) => ![200, 400, 404, 409].includes(status))).toEqual([]);
  // Out is the same danger: nothing of the host may come.
  for (let tries = 0; tries < 50; tries += 1) {
    const answer = await ask(`/v1.51/containers/${racer.id}/archive?path=/tmp/t/canary`);
    expect(await answer.text()).not.toContain("untouched");
  }
  await expectHostUntouched();
});

test("CVE-2026-41567, CVE-2019-14271: cp runs no program and loads no library of the image", async () => {
  const names = ["xz", "unpigz", "pigz", "gzip", "gunzip", "zstd", "bzip2", "tar", "chroot"];
  const libraries = ["libnss_files.so.2", "libnss_dns.so.2", "libc.so.6", "liblzma.so.5"];
  await using built = await image("evil-helpers", "FROM busybox\nCOPY . /\n", (context) => {
    mkdirSync(join(context, "usr/bin"), { recursive: true });
    mkdirSync(join(context, "usr/lib"), { recursive: true });
    for (const name of names) {
      writeFileSync(join(context, "usr/bin", name), `#!/bin/sh\necho x > /pwned; echo x > ${canaries}/pwned\n`, {
        mode: 0o755,
      });
    }
    // Garbage where a library should be: loading one would end the engine, or at least this call.
    for (const name of libraries) writeFileSync(join(context, "usr/lib", name), "garbage");
  });
  const id = await engine.ok("run", "-d", built.name, "sleep", "1000");
  const tar = await oneFileTar("file", "content");
  const junk = new Uint8Array([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, ...tar.subarray(0, 500)]);
  for (const [form, body, good] of [
    ["plain", tar, true],
    ["gzip", Bun.gzipSync(tar), true],
    ["zstd", new Uint8Array(Bun.zstdCompressSync(tar)), true],
    ["broken xz", junk, false],
  ] as const) {
    const { status } = await ask(`/v1.51/containers/${id}/archive?path=/tmp`, { method: "PUT", body });
    expect({ form, good: status === 200 }).toEqual({ form, good });
  }
  expect((await ask(`/v1.51/containers/${id}/archive?path=/etc`)).status).toBe(200);
  expect(await engine.ok("exec", id, "sh", "-c", "cat /tmp/file; ls /")).not.toContain("pwned");
  await engine.ok("rm", "-f", id);
  await expectHostUntouched();
});
