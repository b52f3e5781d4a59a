import { afterEach, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isKind } from "#base/core/errors.ts";
import { readMountTable } from "#base/system/mounts/table.ts";
import type { NetworkLease } from "./contract.ts";
import { get, machine, sh } from "./testing/machine.ts";

const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

const bridge = [{ network: "bridge" }];

afterEach(() => {
  expect(
    readMountTable().filter((mount) => mount.type === "nsfs" && mount.mountPoint.includes("gantry-containers-")),
  ).toEqual([]);
});

test("a namespace alone has loopback up and nothing else", async () => {
  await using host = machine();
  await using networks = host.open();
  const lease = await networks.lease("a", { endpoints: [] });
  expect(host.inside(lease, "ip -br link")).toMatch(/^lo\s+UNKNOWN/);
  expect(host.inside(lease, "ip -br link").split("\n")).toHaveLength(1);
  expect(host.inside(lease, "ip route")).toBe("");
  await networks.dismantle();
  expect(existsSync(lease.namespace)).toBe(false);
});

test("containers on the bridge reach each other, their gateway and the world, which sees the host's address", async () => {
  await using host = machine();
  await using networks = host.open();
  const a = await networks.lease("a", { endpoints: bridge });
  const b = await networks.lease("b", { endpoints: bridge });
  expect(a.endpoints[0]!.address).not.toBe(b.endpoints[0]!.address);
  await host.serve(b, "from-b");
  expect(host.inside(a, get(`http://${b.endpoints[0]!.address}/`))).toBe("from-b");
  await host.serve(undefined, "world", 90);
  // Without a way back to the containers' addresses, an answer proves that the host's own was seen.
  host.far("ip route del default");
  expect(host.inside(a, get("http://198.51.100.2:90/"))).toBe("world");
  expect(host.inside(a, "cat /proc/sys/net/ipv6/conf/eth0/disable_ipv6")).toBe("1");
  await networks.dismantle();
});

test("a port on loopback is reached from the host alone: not from the wire, a neighbour container or by a forged route", async () => {
  await using host = machine();
  await using networks = host.open();
  const web = await networks.lease("web", {
    endpoints: bridge,
    ports: [{ protocol: "tcp", containerPort: 80, hostPort: 8080 }],
  });
  const other = await networks.lease("other", { endpoints: bridge });
  expect(web.ports).toEqual([{ protocol: "tcp", containerPort: 80, hostAddress: "127.0.0.1", hostPort: 8080 }]);
  await host.serve(web, "page");
  expect(sh(get("http://127.0.0.1:8080/"))).toBe("page");
  expect(host.far(get("http://198.51.100.1:8080/"))).not.toContain("page");
  // CVE-2020-8558: a packet for 127.0.0.1 that comes in from a wire.
  const forge = (gateway: string, device: string) =>
    `sysctl -qw net.ipv4.conf.all.route_localnet=1 net.ipv4.conf.${device}.route_localnet=1; ip addr del 127.0.0.1/8 dev lo; ip route flush table local 127.0.0.0/8; ip route add 127.0.0.1/32 via ${gateway} dev ${device}; ${get("http://127.0.0.1:8080/")}`;
  expect(host.far(forge("198.51.100.1", "far"))).not.toContain("page");
  expect(host.inside(other, forge(other.endpoints[0]!.gateway, "eth0"))).not.toContain("page");
  // A host on the wire that routes into the bridge gets nothing that was not published to it.
  expect(host.far(get(`http://${web.endpoints[0]!.address}/`))).not.toContain("page");
  await networks.dismantle();
});

test("a port on every address is reached from the wire, and by the container itself through the host's address", async () => {
  await using host = machine();
  await using networks = host.open();
  const web = await networks.lease("web", {
    endpoints: bridge,
    ports: [{ protocol: "tcp", containerPort: 80, hostAddress: "0.0.0.0" }],
  });
  const port = web.ports[0]!.hostPort;
  expect(port).toBeGreaterThan(0);
  await host.serve(web, "page");
  expect(host.far(get(`http://198.51.100.1:${port}/`))).toBe("page");
  expect(sh(get(`http://127.0.0.1:${port}/`))).toBe("page");
  expect(host.inside(web, get(`http://198.51.100.1:${port}/`))).toBe("page");
  await networks.release("web");
  expect(host.far(get(`http://198.51.100.1:${port}/`))).not.toContain("page");
  await networks.dismantle();
});

test("a taken port is a conflict that names it, costs nothing, and is free again after release", async () => {
  await using host = machine();
  await using networks = host.open();
  const ports = [{ protocol: "tcp" as const, containerPort: 80, hostPort: 9001 }];
  await networks.lease("a", { endpoints: bridge, ports });
  const error = await failure(networks.lease("b", { endpoints: bridge, ports }));
  expect(isKind(error, "conflict")).toBe(true);
  expect(String(error)).toContain("127.0.0.1:9001/tcp");
  await networks.release("a");
  await networks.lease("b", { endpoints: bridge, ports });
  const strange = await failure(
    networks.lease("c", {
      endpoints: bridge,
      ports: [{ protocol: "tcp", containerPort: 80, hostAddress: "203.0.113.9", hostPort: 1 }],
    }),
  );
  expect(isKind(strange, "invalid")).toBe(true);
  await networks.dismantle();
});

test("a new engine keeps what runs, drops what was only ready, and after dismantling nothing is left", async () => {
  await using host = machine();
  const killed = host.open();
  const held = new Map<string, NetworkLease>();
  held.set(
    "web",
    await killed.lease("web", { endpoints: bridge, ports: [{ protocol: "tcp", containerPort: 80, hostPort: 8081 }] }),
  );
  held.set("alone", await killed.lease("alone", { endpoints: [] }));
  await host.serve(held.get("web")!, "still here");
  // As after kill -9: nothing was released but the sockets.
  await killed[Symbol.asyncDispose]();
  await using networks = host.open();
  await networks.adopt(new Map([...held].map(([owner, lease]) => [owner, { lease, names: [], dns: [] }])));
  expect(sh(get("http://127.0.0.1:8081/"))).toBe("still here");
  expect(readdirSync(join(host.base.folder, "netns"))).toHaveLength(2);
  expect(
    isKind(
      await failure(
        networks.lease("x", { endpoints: bridge, ports: [{ protocol: "tcp", containerPort: 80, hostPort: 8081 }] }),
      ),
      "conflict",
    ),
  ).toBe(true);
  const other = await networks.lease("other", { endpoints: bridge });
  expect(other.endpoints[0]!.address).not.toBe(held.get("web")!.endpoints[0]!.address);
  await networks.dismantle();
  expect(
    sh("ip -br link")
      .split("\n")
      .map((line) => line.split(/[ @]/)[0]),
  ).not.toContain("gantry0");
  expect(sh("nft list tables")).toBe("");
  expect(existsSync(join(host.base.folder, "netns"))).toBe(false);
  expect(readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8").trim()).toBe("0");
});

test("rules that somebody else changed leave nothing of a released container behind, and all of the others", async () => {
  await using host = machine();
  await using networks = host.open();
  const publish = (...hostPorts: number[]) => ({
    endpoints: bridge,
    ports: hostPorts.map((hostPort) => ({ protocol: "tcp" as const, containerPort: 80, hostPort })),
  });
  await networks.lease("gone", publish(8080, 8081));
  const stays = await networks.lease("stays", publish(8082));
  await host.serve(stays, "page");
  const rules = () => sh("nft list table ip gantry");
  const map = /map (\w+) \{[^}]*? 8080 : /s.exec(rules())![1]!;
  sh(`nft delete element ip gantry ${map} '{ 127.0.0.1 . tcp . 8080 }'`);
  expect(rules()).toContain("8081");
  await networks.release("gone");
  expect(rules()).not.toContain("8081");
  expect(sh(get("http://127.0.0.1:8082/"))).toBe("page");
  await networks.dismantle();
});
