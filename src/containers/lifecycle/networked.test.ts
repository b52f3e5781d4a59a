import { expect, test } from "bun:test";
import { closeSync, openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isKind } from "#base/core/errors.ts";
import { openDatabase } from "#base/system/database/database.ts";
import { enterNamespace, enterNewNamespace, ownNamespacePath } from "#base/system/namespaces/thread.ts";
import { openWorkerPool } from "#base/system/pool/worker-pool.ts";
import { openNetworks } from "#containers/network/networks.ts";
import { openScene } from "./testing/scene.ts";

const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

/** A scene with networks, in a network namespace of its own that ends with it. */
function networkedScene() {
  const home = openSync(ownNamespacePath("net"), "r");
  enterNewNamespace("net");
  Bun.spawnSync(["ip", "link", "set", "lo", "up"]);
  const pool = openWorkerPool({ name: "kernel", entry: new URL("../../workers/kernel.ts", import.meta.url), size: 2 });
  const scene = openScene({
    networks: (base) =>
      openNetworks({ run: join(base.folder, "run"), database: openDatabase(":memory:"), kernel: pool, ready: 3 }),
  });
  return {
    ...scene,
    [Symbol.asyncDispose]: async () => {
      await scene[Symbol.asyncDispose]();
      await pool[Symbol.asyncDispose]();
      enterNamespace("net", `/proc/self/fd/${home}`);
      closeSync(home);
    },
  };
}

const bridged = { sandbox: { network: { kind: "bridge" as const }, cgroupParent: "" } };

test("a container on the bridge knows itself by name, has an address, and gives all back at its end", async () => {
  await using scene = networkedScene();
  const { containers } = scene;
  const id = await scene.create(["sh", "-c", "cat /etc/hosts; ip addr show eth0; hostname; sleep 1000"], {
    sandbox: { network: { kind: "bridge" }, cgroupParent: "", hostname: "box", extraHosts: ["up:host-gateway"] },
  });
  await using client = await containers.attach(id, { stdout: true });
  await containers.start(id);
  const { network } = containers.get(id);
  let text = "";
  for (const reader = client.output[Symbol.asyncIterator](); !text.includes("\nbox\n"); ) {
    const piece = await reader.next();
    if (piece.done) break;
    text += Buffer.from(piece.value.bytes).toString();
  }
  expect(text).toContain(`${network!.endpoints[0]!.address}\tbox`);
  expect(text).toContain(`${network!.endpoints[0]!.gateway}\tup`);
  expect(text).toContain(`inet ${network!.endpoints[0]!.address}/16`);
  expect(Object.keys((await containers.stats(id)).networks)).toEqual(["eth0"]);
  await containers.remove(id, { force: true });
  // Only those that are ready for the next ones.
  expect(readdirSync(join(scene.base.folder, "run/netns")).length).toBeLessThanOrEqual(6);
});

test("a taken port refuses the start with its name; the container stays and starts when the port is free", async () => {
  await using scene = networkedScene();
  const { containers } = scene;
  const sandbox = { ...bridged.sandbox, ports: [{ protocol: "tcp" as const, containerPort: 80, hostPort: 18_080 }] };
  const first = await scene.create(["sleep", "1000"], { sandbox });
  const second = await scene.create(["sleep", "1000"], { sandbox });
  await containers.start(first);
  const error = await failure(containers.start(second));
  expect(isKind(error, "conflict")).toBe(true);
  expect(String(error)).toContain("127.0.0.1:18080/tcp");
  await containers.stop(first, { timeout: 0 });
  await containers.remove(first);
  expect(await containers.start(second)).toBe(true);
  expect(containers.get(second).network!.ports[0]!.hostPort).toBe(18_080);
});

test("forty containers, eight at a time, all end with their own code and leave nothing", async () => {
  await using scene = networkedScene();
  const { containers } = scene;
  const codes: number[] = [];
  let next = 0;
  const one = async () => {
    for (let code = next++; code < 40; code = next++) {
      const id = await scene.create(["sh", "-c", `exit ${code}`], { ...bridged, config: { autoRemove: true } });
      const end = containers.wait(id, "removed");
      await containers.start(id);
      expect((await end).exitCode).toBe(code);
      codes.push(code);
    }
  };
  await Promise.all(Array.from({ length: 8 }, one));
  expect(codes).toHaveLength(40);
  expect(containers.list()).toEqual([]);
  expect(readdirSync(join(scene.base.folder, "run/containers"))).toEqual([]);
}, 30_000);
