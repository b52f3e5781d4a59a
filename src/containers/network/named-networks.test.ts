import { expect, test } from "bun:test";
import { isKind } from "#base/core/errors.ts";
import { get, machine } from "./testing/machine.ts";

const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

test("containers of one network have names for each other; others neither hear of them nor reach them", async () => {
  await using host = machine();
  await using networks = host.open();
  await networks.create({ name: "one" });
  await networks.create({ name: "two" });
  const names = (name: string) => ({ names: [name] });
  const web = await networks.lease("web", {
    endpoints: [{ network: "one", aliases: ["www"] }],
    ...names("web"),
  });
  const near = await networks.lease("near", { endpoints: [{ network: "one" }], ...names("near") });
  const far = await networks.lease("far", { endpoints: [{ network: "two" }], ...names("far") });
  const plain = await networks.lease("plain", { endpoints: [{ network: "bridge" }], ...names("plain") });
  await host.serve(web, "page");
  const address = web.endpoints[0]!.address;
  for (const name of ["web", "WWW", "web.one", "www."]) expect(await host.ask(near, name)).toEqual([address]);
  expect(await host.ask(near, `${address.split(".").toReversed().join(".")}.in-addr.arpa`, "PTR")).toEqual(["web.one"]);
  expect(await host.ask(near, "web", "AAAA")).toEqual([]);
  expect(await host.ask(far, "web")).not.toContain(address);
  expect(host.inside(near, get(`http://${address}/`))).toBe("page");
  expect(host.inside(far, get(`http://${address}/`))).not.toContain("page");
  expect(host.inside(plain, get(`http://${address}/`))).not.toContain("page");
  // The host may ask each network's gateway, a machine on the wire may not.
  networks.rename("web", ["shop"]);
  expect(await host.ask(near, "shop")).toEqual([address]);
  expect(await host.ask(near, "web")).not.toContain(address);
  await networks.release("web");
  expect(await host.ask(near, "shop")).not.toContain(address);
  await networks.dismantle();
});

test("one name of several containers is answered with all, each time another first", async () => {
  await using host = machine();
  await using networks = host.open();
  await networks.create({ name: "one" });
  const members = await Promise.all(
    ["a", "b", "c"].map((owner) =>
      networks.lease(owner, { endpoints: [{ network: "one", aliases: ["service"] }], names: [owner] }),
    ),
  );
  const all = members.map(({ endpoints }) => endpoints[0]!.address).toSorted();
  const answers: string[][] = [];
  for (let i = 0; i < 3; i += 1) answers.push(await host.ask(members[0]!, "service"));
  for (const answer of answers) expect(answer.toSorted()).toEqual(all);
  expect(new Set(answers.map(([first]) => first)).size).toBe(3);
  await networks.dismantle();
});

test("a network with IPv6 gives both addresses, both reach, and a port is published on both", async () => {
  await using host = machine();
  await using networks = host.open();
  host.sh("ip addr add fd99::1/64 dev wire nodad");
  const { subnets } = await networks.create({ name: "six", ipv6: true });
  expect(subnets.map(({ subnet }) => subnet.includes(":"))).toEqual([false, true]);
  const web = await networks.lease("web", {
    endpoints: [{ network: "six" }],
    names: ["web"],
    ports: [{ protocol: "tcp", containerPort: 80, hostAddress: "fd99::1", hostPort: 8086 }],
  });
  const near = await networks.lease("near", { endpoints: [{ network: "six" }], names: ["near"] });
  await host.serve(web, "page", 80, "::");
  const { address6 } = web.endpoints[0]!;
  expect(await host.ask(near, "web", "AAAA")).toEqual([address6!]);
  expect(host.inside(near, get(`http://[${address6}]/`))).toBe("page");
  expect(host.sh(get("http://[fd99::1]:8086/"))).toBe("page");
  const loopback = networks.publish("web", { protocol: "tcp", containerPort: 1, hostAddress: "::1" });
  expect(isKind(await failure(loopback), "invalid")).toBe(true);
  const anywhere = await networks.publish("web", { protocol: "tcp", containerPort: 80, hostAddress: "::" });
  expect(host.sh(get(`http://[fd99::1]:${anywhere.ports[1]!.hostPort}/`))).toBe("page");
  await networks.dismantle();
});

test("an internal network has no way out and none in, and passes no question on", async () => {
  await using host = machine();
  await using networks = host.open();
  await networks.create({ name: "inner", internal: true });
  const a = await networks.lease("a", { endpoints: [{ network: "inner" }], names: ["a"] });
  const b = await networks.lease("b", { endpoints: [{ network: "inner" }], names: ["b"] });
  await host.serve(b, "inside");
  await host.serve(undefined, "world", 90);
  expect(await host.ask(a, "b")).toEqual([b.endpoints[0]!.address]);
  expect(host.inside(a, get(`http://${b.endpoints[0]!.address}/`))).toBe("inside");
  expect(host.inside(a, get("http://198.51.100.2:90/"))).not.toContain("world");
  host.inside(a, `ip route add default via ${a.nameServer}`);
  expect(host.inside(a, get("http://198.51.100.2:90/"))).not.toContain("world");
  expect(await host.code(a, "example.org")).toBe(2);
  const port = { protocol: "tcp", containerPort: 80 } as const;
  expect(isKind(await failure(networks.publish("a", port)), "invalid")).toBe(true);
  await networks.dismantle();
});

test("a running container is put into a network and taken out; its way out and its ports follow", async () => {
  await using host = machine();
  await using networks = host.open();
  await networks.create({ name: "one" });
  await networks.create({ name: "two" });
  const first = await networks.lease("web", { endpoints: [{ network: "one" }], names: ["web"] });
  await host.serve(first, "page");
  const published = await networks.publish("web", { protocol: "tcp", containerPort: 80, hostPort: 8090 });
  expect(host.sh(get("http://127.0.0.1:8090/"))).toBe("page");
  const both = await networks.connect("web", { network: "two", aliases: ["w2"] });
  expect(both.endpoints.map((endpoint) => endpoint.interface)).toEqual(["eth0", "eth1"]);
  const near = await networks.lease("near", { endpoints: [{ network: "two" }], names: ["near"] });
  expect(await host.ask(near, "w2")).toEqual([both.endpoints[1]!.address]);
  expect(host.inside(near, get("http://w2/".replace("w2", both.endpoints[1]!.address)))).toBe("page");
  expect(isKind(await failure(networks.connect("web", { network: "two" })), "conflict")).toBe(true);
  const after = await networks.disconnect("web", "one");
  expect(after.endpoints.map((endpoint) => endpoint.interface)).toEqual(["eth1"]);
  expect(host.inside(after, "ip route show default")).toContain(after.endpoints[0]!.gateway);
  expect(host.sh(get("http://127.0.0.1:8090/"))).toBe("page");
  await networks.unpublish("web", published.ports[0]!);
  expect(host.sh(get("http://127.0.0.1:8090/"))).not.toContain("page");
  expect(isKind(await failure(networks.disconnect("web", "one")), "not-found")).toBe(true);
  await networks.dismantle();
});

test("the interface with the highest priority has the way out, and names asked for are given", async () => {
  await using host = machine();
  await using networks = host.open();
  await networks.create({ name: "one" });
  await networks.create({ name: "two", subnets: [{ subnet: "10.99.0.0/24", gateway: "10.99.0.254" }] });
  const lease = await networks.lease("a", {
    endpoints: [
      { network: "one" },
      {
        network: "two",
        address: "10.99.0.7",
        mac: "02:00:00:00:00:07",
        gatewayPriority: 5,
        interfaceName: "wan",
      },
    ],
  });
  expect(lease.endpoints[1]).toMatchObject({ interface: "wan", address: "10.99.0.7", mac: "02:00:00:00:00:07" });
  expect(host.inside(lease, "ip route show default")).toBe("default via 10.99.0.254 dev wan");
  expect(host.inside(lease, "ip link show wan")).toContain("02:00:00:00:00:07");
  const taken = networks.lease("b", { endpoints: [{ network: "two", address: "10.99.0.7" }] });
  expect(isKind(await failure(taken), "conflict")).toBe(true);
  // What was refused holds nothing.
  await networks.release("a");
  await networks.lease("c", { endpoints: [{ network: "two", address: "10.99.0.7" }] });
  await networks.dismantle();
});

test.each(["macvlan", "ipvlan"] as const)("a %s network shares an interface of the host", async (driver) => {
  await using host = machine();
  await using networks = host.open();
  await networks.create({
    name: "shared",
    driver,
    options: { parent: "wire" },
    subnets: [{ subnet: "198.51.100.0/24", gateway: "198.51.100.2", range: "198.51.100.64/26" }],
  });
  const made = networks.lease("a", { endpoints: [{ network: "shared" }] });
  // Not every kernel has ipvlan; one without says so.
  if (host.sh(`ip link add probe link wire type ${driver}`).includes("Unknown device type")) {
    expect(isKind(await failure(made), "unsupported")).toBe(true);
    await networks.dismantle();
    return;
  }
  const lease = await made;
  expect(lease.endpoints[0]!.address).toBe("198.51.100.64");
  await host.serve(undefined, "world", 90);
  expect(host.inside(lease, get("http://198.51.100.2:90/"))).toBe("world");
  await networks.dismantle();
});

test("names, subnets and drivers that cannot be are refused, and leave nothing", async () => {
  await using host = machine();
  await using networks = host.open();
  await networks.create({ name: "one", subnets: [{ subnet: "10.98.0.0/24" }] });
  const refusals = [
    [{ name: "one" }, "conflict"],
    [{ name: "two", subnets: [{ subnet: "10.98.0.128/25" }] }, "conflict"],
    [{ name: "a b" }, "invalid"],
    [{ name: "host" }, "invalid"],
    [{ name: "two", subnets: [{ subnet: "10.97.0.0/33" }] }, "invalid"],
    [{ name: "two", subnets: [{ subnet: "10.97.0.0/24", gateway: "10.96.0.1" }] }, "invalid"],
    [{ name: "two", driver: "macvlan" }, "invalid"],
    [{ name: "two", options: { "com.docker.network.bridge.name": "a/../b" } }, "invalid"],
  ] as const;
  for (const [spec, kind] of refusals) expect(isKind(await failure(networks.create(spec)), kind)).toBe(true);
  expect(networks.list().map(({ name }) => name)).toEqual(["bridge", "one"]);
  const held = await networks.lease("a", { endpoints: [{ network: "one" }] });
  expect(isKind(await failure(networks.remove("one")), "conflict")).toBe(true);
  expect(isKind(await failure(networks.remove("bridge")), "denied")).toBe(true);
  expect(isKind(await failure(networks.remove("nobody")), "not-found")).toBe(true);
  await networks.release("a");
  await networks.remove("one");
  expect(host.sh("ip -br link")).not.toContain(held.endpoints[0]!.hostInterface);
  await networks.dismantle();
});

test("the next engine keeps networks, members, names and ports", async () => {
  await using host = machine();
  const killed = host.open();
  const { id } = await killed.create({ name: "one" });
  const lease = await killed.lease("web", {
    endpoints: [{ network: "one", aliases: ["www"] }],
    names: ["web"],
    ports: [{ protocol: "tcp", containerPort: 80, hostPort: 8087 }],
  });
  await host.serve(lease, "still here");
  await killed[Symbol.asyncDispose]();
  await using networks = host.open();
  await networks.adopt(new Map([["web", { lease, names: ["web"], dns: [] }]]));
  expect(networks.get("one").id).toBe(id);
  expect(networks.members(id).map(({ owner }) => owner)).toEqual(["web"]);
  expect(host.sh(get("http://127.0.0.1:8087/"))).toBe("still here");
  const near = await networks.lease("near", { endpoints: [{ network: "one" }] });
  expect(near.endpoints[0]!.address).not.toBe(lease.endpoints[0]!.address);
  expect(await host.ask(near, "www")).toEqual([lease.endpoints[0]!.address]);
  await networks.dismantle();
  expect(host.sh("nft list tables")).toBe("");
});

test("with a list of ways out only what is on it is reached, in new connections; published ports answer", async () => {
  await using host = machine();
  await using networks = host.open();
  host.far("ip addr add 198.51.100.3/24 dev far");
  await host.serve(undefined, "world", 90);
  await networks.create({ name: "one" });
  const open = await networks.lease("open", { endpoints: [{ network: "one" }], names: ["open"] });
  await host.serve(open, "neighbour");
  const closed = await networks.lease("closed", {
    endpoints: [{ network: "one" }],
    names: ["closed"],
    egress: ["198.51.100.2"],
    ports: [{ protocol: "tcp", containerPort: 80, hostPort: 8095 }],
  });
  await host.serve(closed, "closed page");
  expect(host.inside(closed, get("http://198.51.100.2:90/"))).toBe("world");
  expect(host.inside(closed, get("http://198.51.100.3:90/"))).not.toContain("world");
  expect(host.inside(open, get("http://198.51.100.3:90/"))).toBe("world");
  expect(host.inside(closed, get(`http://${open.endpoints[0]!.address}/`))).toBe("neighbour");
  expect(host.sh(get("http://127.0.0.1:8095/"))).toBe("closed page");
  // The host's own services are a way out too.
  const served = await host.serveHere("host page", 91);
  expect(host.inside(open, get(`http://${open.nameServer}:91/`))).toBe("host page");
  expect(host.inside(closed, get(`http://${open.nameServer}:91/`))).not.toContain("host page");
  served();
  expect(await host.ask(closed, "open")).toEqual([open.endpoints[0]!.address]);
  expect(await host.code(closed, "example.org")).toBe(5);
  // Nor by a second network.
  await networks.create({ name: "two" });
  await networks.connect("closed", { network: "two" });
  expect(host.inside(closed, get("http://198.51.100.3:90/"))).not.toContain("world");
  await networks.release("closed");
  const after = await networks.lease("after", {
    endpoints: [{ network: "one", address: closed.endpoints[0]!.address }],
  });
  expect(host.inside(after, get("http://198.51.100.3:90/"))).toBe("world");
  await networks.dismantle();
});

test("an allowed name opens the way to where it leads, and a name that is not allowed is not asked for", async () => {
  await using host = machine();
  await using networks = host.open();
  host.far("ip addr add 198.51.100.3/24 dev far");
  await host.serve(undefined, "world", 90);
  const asked = await host.names({ "good.example": "198.51.100.2", "evil.example": "198.51.100.3" });
  await networks.create({ name: "one", options: { "io.gantry.egress.allow": "*.example" } });
  const lease = await networks.lease("a", {
    endpoints: [{ network: "one" }],
    egress: ["good.example"],
    dns: ["198.51.100.2"],
  });
  expect(host.inside(lease, get("http://198.51.100.2:90/"))).not.toContain("world");
  expect(await host.ask(lease, "good.example")).toEqual(["198.51.100.2"]);
  expect(host.inside(lease, get("http://198.51.100.2:90/"))).toBe("world");
  expect(await host.code(lease, "evil.example")).toBe(5);
  expect(asked()).not.toContain("evil");
  const wider = networks.lease("b", { endpoints: [{ network: "one" }], egress: ["good.test"] });
  expect(isKind(await failure(wider), "denied")).toBe(true);
  await networks.dismantle();
});
