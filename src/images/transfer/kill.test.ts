import { expect, test } from "bun:test";
import { join } from "node:path";
import { layerTar, openTestStore, plantImage, plantLayer, scratch } from "#images/store/testing/test-store.ts";
import { serveRegistry } from "./testing/served-registry.ts";
import { createTransfer } from "./transfer.ts";

const scenario = join(import.meta.dir, "testing/pull-scenario.ts");

async function run(root: string, name: string, nth?: number): Promise<{ killed: boolean; out: string }> {
  const command = [process.execPath, scenario, root, name, ...(nth === undefined ? [] : [`${nth}`])];
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  await child.exited;
  if (child.signalCode === null && child.exitCode !== 0) throw new Error(`${nth}: ${err}`);
  return { killed: child.signalCode === "SIGKILL", out };
}

test("killed at any of its writes, a pull leaves a clean store and the next one ends it", async () => {
  await using registry = await serveRegistry();
  await using from = await openTestStore();
  const name = `${registry.domain}/team/app:1`;
  const base = await plantLayer(from.store, layerTar([{ name: "base", content: "base" }]));
  const upper = await plantLayer(from.store, layerTar([{ name: "upper", content: "x".repeat(200_000) }]), true);
  const { id } = await plantImage(from.store, name, [base, upper]);
  await createTransfer(from.store).push(name);
  using first = scratch();
  const writes = Number((await run(first.path, name)).out);
  expect(writes).toBeGreaterThan(20);
  let next = 1;
  let killed = 0;
  const worker = async () => {
    for (let nth = next++; nth <= writes; nth = next++) {
      using folder = scratch();
      if ((await run(folder.path, name, nth)).killed) killed += 1;
      await using here = await openTestStore({ root: folder.path, keep: true });
      expect({ nth, findings: await here.store.check({ deep: true }) }).toEqual({ nth, findings: [] });
      const { record } = await createTransfer(here.store).pull(name);
      expect([record.id, record.names]).toEqual([id, [name]]);
      expect(await here.store.check({ deep: true })).toEqual([]);
    }
  };
  await Promise.all([worker(), worker()]);
  // How the network cuts the bytes may make one run a write shorter than the first.
  expect(killed).toBeGreaterThan(writes - 5);
}, 60_000);
