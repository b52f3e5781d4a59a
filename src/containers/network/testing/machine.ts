import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { decode, encode } from "dns-packet";
import type { Database } from "#base/system/database/contract.ts";
import { openDatabase } from "#base/system/database/database.ts";
import { unmount } from "#base/system/mounts/mount.ts";
import { readMountTable } from "#base/system/mounts/table.ts";
import { enterNamespace, enterNewNamespace, ownNamespacePath } from "#base/system/namespaces/thread.ts";
import { openWorkerPool } from "#base/system/pool/worker-pool.ts";
import { busyboxScene } from "#containers/runtime/testing/busybox-root.ts";
import type { NetworkLease, Networks } from "../contract.ts";
import { openNetworks } from "../networks.ts";

export function sh(script: string): string {
  const result = Bun.spawnSync(["sh", "-c", script]);
  return (result.stdout.toString() + result.stderr.toString()).trim();
}

/**
 * A machine of its own: this thread and what it starts live in a new network namespace, with a neighbour machine
 * 198.51.100.2 on a wire, until the scene ends.
 */
export function machine() {
  const base = busyboxScene();
  const home = openSync(ownNamespacePath("net"), "r");
  enterNewNamespace("net");
  sh(
    "echo 0 > /proc/sys/net/ipv4/ip_forward; ip link set lo up; ip link add wire type veth peer name far; ip addr add 198.51.100.1/24 dev wire; ip link set wire up",
  );
  // The neighbour is held by a sleeping process of its own.
  const neighbour = Bun.spawn(["unshare", "-n", "sleep", "1000"]);
  for (
    let i = 0;
    i < 200 && sh(`readlink /proc/${neighbour.pid}/ns/net`) === sh(`readlink ${ownNamespacePath("net")}`);
    i += 1
  )
    Bun.sleepSync(2);
  const far = (script: string) => sh(`nsenter -t ${neighbour.pid} -n sh -c '${script}'`);
  sh(`ip link set far netns ${neighbour.pid}`);
  far(
    "ip link set lo up; ip addr add 198.51.100.2/24 dev far; ip link set far up; ip route add default via 198.51.100.1",
  );
  const pool = openWorkerPool({
    name: "kernel",
    entry: new URL("../../../workers/kernel.ts", import.meta.url),
    size: 2,
  });
  const databases: Database[] = [];
  const open = (): Networks => {
    const database = openDatabase(join(base.folder, "test.db"));
    databases.push(database);
    return openNetworks({ run: base.folder, database, kernel: pool, ready: 1 });
  };
  const servers: ReturnType<typeof Bun.spawn>[] = [];
  return {
    base,
    open,
    far,
    sh,
    /** What the name server of a container's networks says, and with which code. */
    ask: async (lease: NetworkLease, name: string, type: "A" | "AAAA" | "PTR" = "A") =>
      ((await question(lease, name, type)).answers ?? []).map((answer) => String((answer as { data?: unknown }).data)),
    code: async (lease: NetworkLease, name: string) => ((await question(lease, name, "A")).flags ?? 0) & 15,
    inside: (lease: NetworkLease, script: string) => sh(`nsenter --net=${lease.namespace} sh -c '${script}'`),
    /** A page saying `word` on a port of the container. */
    serve: (lease: NetworkLease | undefined, word: string, port = 80, address = "0.0.0.0") => {
      const enter =
        lease === undefined ? ["nsenter", "-t", String(neighbour.pid), "-n"] : ["nsenter", `--net=${lease.namespace}`];
      const program = `$s = IO::Socket::IP->new(LocalHost => "${address}", LocalPort => ${port}, Listen => 9, ReuseAddr => 1) or die;
        $| = 1; print "up\n"; while ($c = $s->accept) { print $c "${word}\n"; close $c }`;
      const server = Bun.spawn([...enter, "perl", "-MIO::Socket::IP", "-e", program], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      servers.push(server);
      return server.stdout.getReader().read();
    },
    /** A page on the host itself. */
    serveHere: async (word: string, port: number) => {
      const program = `$s = IO::Socket::IP->new(LocalHost => "0.0.0.0", LocalPort => ${port}, Listen => 9, ReuseAddr => 1) or die;
        $| = 1; print "up\n"; while ($c = $s->accept) { print $c "${word}\n"; close $c }`;
      const server = Bun.spawn(["perl", "-MIO::Socket::IP", "-e", program], { stdio: ["ignore", "pipe", "ignore"] });
      await server.stdout.getReader().read();
      return () => server.kill("SIGKILL");
    },
    /** A name server at the neighbour 198.51.100.2; gives what it was asked for so far. */
    names: async (table: Readonly<Record<string, string>>) => {
      const records = Object.entries(table)
        .map(([name, address]) => `"${name}" => "${address}"`)
        .join(", ");
      const program = `use IO::Socket::IP; use Socket qw(inet_aton); $| = 1; %t = (${records});
        $s = IO::Socket::IP->new(LocalHost => "198.51.100.2", LocalPort => 53, Proto => "udp") or die; print "up\n";
        while ($s->recv($q, 4096)) { $i = 12; @l = (); while (($n = ord substr($q, $i, 1)) > 0) { push @l, substr($q, $i + 1, $n); $i += $n + 1 }
          $name = join ".", @l; print "$name\n"; $question = substr($q, 12, $i + 5 - 12);
          $a = $t{$name}; $head = substr($q, 0, 2) . pack("n5", 0x8180, 1, $a ? 1 : 0, 0, 0);
          $s->send($head . $question . ($a ? pack("nnnNn", 0xc00c, 1, 1, 60, 4) . inet_aton($a) : "")) }`;
      const server = Bun.spawn(["nsenter", "-t", String(neighbour.pid), "-n", "perl", "-e", program], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      servers.push(server);
      let heard = "";
      const up = Promise.withResolvers<void>();
      void (async () => {
        for await (const bytes of server.stdout) {
          heard += Buffer.from(bytes).toString();
          up.resolve();
        }
      })();
      await up.promise;
      return () => heard;
    },
    [Symbol.asyncDispose]: async () => {
      for (const server of servers) server.kill("SIGKILL");
      neighbour.kill("SIGKILL");
      await pool[Symbol.asyncDispose]();
      for (const database of databases) database[Symbol.dispose]();
      enterNamespace("net", `/proc/self/fd/${home}`);
      closeSync(home);
      // Nothing after a test that passed.
      for (const { mountPoint } of readMountTable())
        if (mountPoint.startsWith(base.folder)) unmount(mountPoint, { lazy: true });
      base[Symbol.dispose]();
    },
  };
}

/** Asked with perl and one datagram, from inside. */
async function question(lease: NetworkLease, name: string, type: "A" | "AAAA" | "PTR") {
  const packet = encode({ type: "query", id: 7, flags: 0x0100, questions: [{ type, name }] }).toString("hex");
  const program = `$s = IO::Socket::IP->new(PeerHost => "${lease.nameServer}", PeerPort => 53, Proto => "udp") or die;
    $s->send(pack("H*", "${packet}")); $SIG{ALRM} = sub { exit 1 }; alarm 3; $s->recv($b, 4096); print unpack("H*", $b)`;
  const child = Bun.spawn(["nsenter", `--net=${lease.namespace}`, "perl", "-MIO::Socket::IP", "-e", program]);
  return decode(Buffer.from(await new Response(child.stdout).text(), "hex"));
}

/** What a server at "http://address:port/" says; bash, because a static busybox cannot look up names. */
export function get(url: string): string {
  const { hostname: host, port } = new URL(url);
  const hostname = host.replace(/^\[|\]$/g, "");
  return `timeout 1 bash -c "exec 3<>/dev/tcp/${hostname}/${port || 80}; cat <&3" 2>&1`;
}
