import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { run, startEngine, type TestEngine } from "./support/engine.ts";

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

const host = (...words: string[]) => run(words, { PATH: engine.env.PATH! });
/** Where this engine's bridges and rules are, never another's: an ordinary user's are not the host's. */
const beside = async (...words: string[]) => host("nsenter", `--net=/proc/${await engine.pid()}/ns/net`, ...words);

interface Web extends AsyncDisposable {
  readonly name: string;
  readonly address: string;
  readonly gateway: string;
  readonly port: number;
}

/** A container that serves its /etc/passwd, published as `publish` says. */
async function web(name: string, ...flags: string[]): Promise<Web> {
  await engine.ok("run", "-d", "--name", name, ...flags, "busybox", "httpd", "-f", "-h", "/etc");
  const facts = await engine.ok("inspect", "-f", "{{.NetworkSettings.IPAddress}} {{.NetworkSettings.Gateway}}", name);
  const [address = "", gateway = ""] = facts.split(" ");
  const bound = (await engine.gantry("port", name, "80")).out.trim();
  return {
    name,
    address,
    gateway,
    port: Number(bound.slice(bound.lastIndexOf(":") + 1)),
    async [Symbol.asyncDispose]() {
      await engine.ok("rm", "-f", name);
    },
  };
}

/** Something on the host's loopback that nobody from outside may reach; counts who came. */
function loopbackServer() {
  const seen = { count: 0 };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch() {
      seen.count += 1;
      return new Response("secret of the host");
    },
  });
  return {
    port: server.port!,
    seen,
    async [Symbol.asyncDispose]() {
      await server.stop(true);
    },
  };
}

const hostSide = "198.51.100.1";

/** A machine next to this one: a namespace with one wire to the host and its default route there. */
async function neighbour() {
  const name = `nb${process.pid}`;
  const [here, there] = [`${name}h`, `${name}n`];
  const must = async (...words: string[]) => expect(await host(...words)).toMatchObject({ code: 0 });
  await must("ip", "netns", "add", name);
  await must("ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", name);
  await must("ip", "addr", "add", `${hostSide}/30`, "dev", here);
  await must("ip", "link", "set", here, "up");
  await must("ip", "-n", name, "link", "set", "lo", "up");
  await must("ip", "-n", name, "addr", "add", "198.51.100.2/30", "dev", there);
  await must("ip", "-n", name, "link", "set", there, "up");
  await must("ip", "-n", name, "route", "add", "default", "via", hostSide);
  return {
    inside: (...words: string[]) => host("ip", "netns", "exec", name, ...words),
    /** The server's whole answer, or nothing. */
    get: (address: string, port: number) =>
      host("ip", "netns", "exec", name, "timeout", "1", "bash", "-c", question(`/dev/tcp/${address}/${port}`)),
    wire: there,
    async [Symbol.asyncDispose]() {
      await host("ip", "link", "del", here);
      await host("ip", "netns", "del", name);
    },
  };
}

/** A web client of bash alone: any machine's Debian has it. */
const question = (socket: string) => `exec 3<>${socket} && printf 'GET /passwd HTTP/1.0\r\n\r\n' >&3 && cat <&3`;
/** The same of what the container has. */
const get = (address: string, port: number) => [
  "sh",
  "-c",
  `printf 'GET /passwd HTTP/1.0\r\n\r\n' | nc -w 1 ${address} ${port}`,
];
const served = "root:x:0:0";

test("a published port answers on 127.0.0.1 and on no other address, unless 0.0.0.0 is named", async () => {
  await using next = await neighbour();
  const own = Object.values(networkInterfaces())
    .flat()
    .filter((item) => item?.family === "IPv4" && !item.internal)
    .map((item) => item!.address);
  const reaches = async (address: string, port: number) => {
    try {
      return (await fetch(`http://${address}:${port}/passwd`, { signal: AbortSignal.timeout(1000) })).ok;
    } catch {
      return false;
    }
  };
  await using closed = await web("closed", "-p", "80");
  expect(await reaches("127.0.0.1", closed.port)).toBe(true);
  for (const address of [...own, hostSide])
    expect({ address, ok: await reaches(address, closed.port) }).toEqual({ address, ok: false });
  expect((await next.get(hostSide, closed.port)).out).toBe("");
  // Neither by the container's own address, from a machine that routes to it through this one.
  expect((await next.get(closed.address, 80)).out).toBe("");

  await using open = await web("open", "-p", "0.0.0.0::80");
  expect((await next.get(hostSide, open.port)).out).toContain(served);
  expect(await reaches("127.0.0.1", open.port)).toBe(true);
  expect(await reaches(hostSide, open.port)).toBe(true);

  await using named = await web("named", "-p", `${hostSide}::80`);
  expect((await next.get(hostSide, named.port)).out).toContain(served);
  expect(await reaches("127.0.0.1", named.port)).toBe(false);
});

test("CVE-2020-8558: a neighbour that sends to 127.0.0.1 reaches neither the host's loopback nor a port published there", async () => {
  await using next = await neighbour();
  await using secret = loopbackServer();
  await using closed = await web("guarded", "-p", "80");
  await next.inside("ip", "addr", "del", "127.0.0.1/8", "dev", "lo");
  await next.inside("/bin/busybox", "sysctl", "-w", "net.ipv4.conf.all.route_localnet=1");
  expect(await next.inside("ip", "route", "add", "127.0.0.0/8", "via", hostSide, "dev", next.wire)).toMatchObject({
    code: 0,
  });
  expect((await next.inside("ip", "route", "get", "127.0.0.1")).out).toContain(`via ${hostSide}`);
  for (const port of [secret.port, closed.port]) {
    expect((await next.get("127.0.0.1", port)).out).toBe("");
  }
  expect(secret.seen.count).toBe(0);
});

test("CVE-2020-8558: a container with NET_ADMIN reaches nothing on the host's loopback", async () => {
  await using secret = loopbackServer();
  await using closed = await web("beside", "-p", "80");
  const asks = [secret.port, closed.port].map((port) => get("127.0.0.1", port)[2]);
  const script = `
    ip addr del 127.0.0.1/8 dev lo; ip route add 127.0.0.0/8 via ${closed.gateway} dev eth0
    ip route get 127.0.0.1 | grep -c 'via ${closed.gateway}'
    ${asks.join("; ")}; true`;
  const flags = ["--cap-add", "NET_ADMIN", "--sysctl", "net.ipv4.conf.all.route_localnet=1"];
  expect(await engine.ok("run", "--rm", ...flags, "busybox", "sh", "-c", script)).toBe("1");
  expect(secret.seen.count).toBe(0);
  // Nor by the bridge's address: what is published on 127.0.0.1 is for this machine alone.
  for (const port of [secret.port, closed.port]) {
    expect((await engine.gantry("run", "--rm", "busybox", ...get(closed.gateway, port))).out).toBe("");
  }
});

test("CVE-2025-9074: no container finds the engine's API on any address of the host", async () => {
  const { out } = await host("ss", "-Hltnp");
  const pid = await engine.pid();
  expect(out.split("\n").filter((line) => line.includes(`pid=${pid},`))).toEqual([]);
  expect(await engine.ok("run", "--rm", "busybox", "sh", "-c", "ls /var/run /run 2>/dev/null; true")).toBe("");
});

test("containers reach each other by address, both ways, and a stopped one's address and port are free again", async () => {
  await using first = await web("first");
  const port = await (async () => {
    await using second = await web("second", "-p", "80");
    expect(await engine.ok("exec", "first", ...get(second.address, 80))).toContain(served);
    expect(await engine.ok("exec", "second", ...get(first.address, 80))).toContain(served);
    expect(second.address).not.toBe(first.address);
    return second.port;
  })();
  await using third = await web("third", "-p", `${port}:80`);
  expect(third.port).toBe(port);
  expect(await (await fetch(`http://127.0.0.1:${port}/passwd`)).text()).toContain(served);
});

test("a container asks the host's name servers, or those it was given", async () => {
  const servers = (text: string) => text.split("\n").filter((line) => line.startsWith("nameserver"));
  const outside = servers(readFileSync("/etc/resolv.conf", "utf8")).filter((line) => !/ 127\.|::1/.test(line));
  const seen = servers(await engine.ok("run", "--rm", "busybox", "cat", "/etc/resolv.conf"));
  if (outside.length > 0) expect(seen).toEqual(outside);
  expect(seen.filter((line) => line.includes(" 127."))).toEqual([]);

  await using peer = await web("peer");
  const questions: string[] = [];
  const dns = await Bun.udpSocket({
    hostname: peer.gateway,
    port: 53,
    socket: {
      data(socket, question, port, address) {
        questions.push(question.toString("latin1"));
        // The question back with one answer: 192.0.2.77 for a minute.
        const reply = Buffer.from(question);
        reply.writeUInt16BE(0x8180, 2);
        reply.writeUInt16BE(1, 6);
        const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 77]);
        socket.send(Buffer.concat([reply, record]), port, address);
      },
    },
  });
  try {
    const flags = ["--dns", peer.gateway, "--dns-search", "lab.example"];
    const { out } = await engine.gantry(
      "run",
      "--rm",
      ...flags,
      "busybox",
      "sh",
      "-c",
      "cat /etc/resolv.conf; nslookup -type=a machine.example",
    );
    expect(out).toContain(`nameserver ${peer.gateway}`);
    expect(out).toContain("search lab.example");
    expect(out).toContain("192.0.2.77");
    expect(questions.join()).toContain("machine");
  } finally {
    dns.close();
  }
});

test("--network none has the loopback alone, and it works", async () => {
  const script = "ip -o link | wc -l; ip route | wc -l; ping -c 1 -W 1 127.0.0.1 > /dev/null && echo up";
  expect((await engine.ok("run", "--rm", "--network", "none", "busybox", "sh", "-c", script)).split("\n")).toEqual([
    "1",
    "0",
    "up",
  ]);
});

test("--network host is the host's own network, without a port map", async () => {
  const flags = ["run", "--rm", "--network", "host", "busybox"];
  const { readlinkSync } = await import("node:fs");
  expect(await engine.ok(...flags, "readlink", "/proc/self/ns/net")).toBe(readlinkSync("/proc/self/ns/net"));
  await using secret = loopbackServer();
  expect(await engine.ok(...flags, ...get("127.0.0.1", secret.port))).toContain("secret of the host");
});

test("--network container:NAME shares that container's network, ports and host name, and keeps it", async () => {
  await using owner = await web("owner", "-p", "80");
  const namespace = await engine.ok("exec", "owner", "readlink", "/proc/self/ns/net");
  const guest = ["run", "--rm", "--network", "container:owner", "busybox"];
  expect(await engine.ok(...guest, "readlink", "/proc/self/ns/net")).toBe(namespace);
  expect(await engine.ok(...guest, "hostname")).toBe(await engine.ok("exec", "owner", "hostname"));
  expect(await engine.ok(...guest, ...get("127.0.0.1", 80))).toContain(served);
  expect(await (await fetch(`http://127.0.0.1:${owner.port}/passwd`)).text()).toContain(served);
});

test("CVE-2025-54388: rules that a reloaded firewall flushed are back at once, and after a restart of the engine", async () => {
  await using closed = await web("flushed", "-p", "80");
  const table = await tableOf(closed.gateway);
  // Only this engine's: the host's other tables belong to others.
  expect(await beside("nft", "delete", "table", "ip", table)).toMatchObject({ code: 0 });
  while ((await beside("nft", "list", "table", "ip", table)).code !== 0) await Bun.sleep(10);
  expect(await (await fetch(`http://127.0.0.1:${closed.port}/passwd`)).text()).toContain(served);
  const pid = await engine.pid();
  process.kill(pid, "SIGSTOP");
  // By hand: one that is stopped cannot say where its rules are.
  const flush = ["nft", "delete", "table", "ip", table];
  expect(await host("nsenter", `--net=/proc/${pid}/ns/net`, ...flush)).toMatchObject({ code: 0 });
  process.kill(pid, "SIGKILL");
  await engine.ok("info");
  expect(await (await fetch(`http://127.0.0.1:${closed.port}/passwd`)).text()).toContain(served);
  expect((await beside("nft", "list", "table", "ip", table)).out).toContain(`${closed.port}`);
});

/** The bridge that has this address, and the table that is called after it. */
async function bridgeOf(gateway: string): Promise<string> {
  const { out } = await beside("ip", "-o", "-4", "addr", "show", "to", gateway);
  return /^\d+: (\S+)/.exec(out)![1]!;
}

async function tableOf(gateway: string): Promise<string> {
  const table = (await bridgeOf(gateway)).replace(/^gantry/, "gantry-");
  expect((await beside("nft", "list", "tables")).out).toContain(`table ip ${table}\n`);
  return table;
}

function processesOf(folder: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(folder);
      } catch {
        return false;
      }
    });
}

test("engine uninstall leaves no link, table, namespace, mount, cgroup, process or file of that engine", async () => {
  await using short = await startEngine();
  await short.ok(
    "run",
    "-d",
    "--name",
    "left",
    "-p",
    "80",
    "-v",
    "data:/data",
    "--tmpfs",
    "/t",
    "busybox",
    "sleep",
    "1000",
  );
  await short.ok("run", "-d", "--network", "none", "busybox", "sleep", "1000");
  const id = await short.ok("inspect", "-f", "{{.Id}}", "left");
  const gateway = await short.ok("inspect", "-f", "{{.NetworkSettings.Gateway}}", "left");
  const bridge = await bridgeOf(gateway);
  const table = await tableOf(gateway);
  const links = (await beside("ip", "-o", "link", "show", "master", bridge)).out.match(/(?<=^\d+: )[^@:]+/gm) ?? [];
  expect(links.length).toBeGreaterThan(0);
  expect(processesOf(short.folder).length).toBeGreaterThan(1);
  const enginePid = await short.pid();
  const pid = await short.ok("inspect", "-f", "{{.State.Pid}}", "left");

  expect(await short.gantry("engine", "uninstall", "--data")).toMatchObject({ code: 0 });

  const present = readdirSync("/sys/class/net");
  expect([bridge, ...links].filter((link) => present.includes(link))).toEqual([]);
  expect((await host("nft", "list", "tables")).out).not.toContain(table);
  expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(short.folder);
  expect(processesOf(short.folder)).toEqual([]);
  expect([pid, enginePid].filter((each) => existsSync(`/proc/${each}`))).toEqual([]);
  for (const tree of readdirSync("/sys/fs/cgroup")) {
    expect({ tree, left: existsSync(`/sys/fs/cgroup/${tree}/gantry/${id}`) }).toEqual({ tree, left: false });
  }
  expect(existsSync(short.env.GANTRY_RUN_ROOT!)).toBe(false);
  expect(existsSync(short.env.GANTRY_DATA_ROOT!)).toBe(false);
}, 60_000);
