import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readMountTable } from "#base/system/mounts/table.ts";
import { enterPrivateMounts } from "#base/system/namespaces/testing/private-mounts.ts";
import type { Digest } from "#formats/oci/contract.ts";
import { dockerfile } from "./testing/kill-scenario.ts";
import { openBuildScene } from "./testing/scene.ts";

const scenario = join(import.meta.dir, "testing/kill-scenario.ts");

function scratch(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "gantry-build-kill-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

function start(folder: string, nth: number, ...more: string[]) {
  return Bun.spawn([process.execPath, scenario, folder, String(nth), ...more], { stdout: "pipe", stderr: "pipe" });
}

async function run(folder: string, nth: number): Promise<string> {
  const child = start(folder, nth);
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  await child.exited;
  if (nth === 0 && child.exitCode !== 0) throw new Error(err);
  if (nth !== 0) expect(child.signalCode).toBe("SIGKILL");
  return out;
}

/** What an opened builder must have cleared away. */
function leftovers(folder: string): string[] {
  const mounts = readMountTable().flatMap(({ mountPoint }) => (mountPoint.startsWith(folder) ? [mountPoint] : []));
  return [...mounts, ...readdirSync(join(folder, "build"))];
}

test("killed at any of its writes, a build leaves a clean store, nothing mounted, and builds the same again", async () => {
  enterPrivateMounts();
  using first = scratch();
  const { count, digest } = JSON.parse((await run(first.path, 0)).trim()) as { count: number; digest: Digest };
  expect(count).toBeGreaterThan(30);
  let next = 1;
  const worker = async () => {
    for (let nth = next++; nth <= count; nth = next++) {
      using folder = scratch();
      await run(folder.path, nth);
      await using scene = await openBuildScene({ folder: folder.path, keep: true, ownMounts: false });
      expect({ nth, left: leftovers(folder.path) }).toEqual({ nth, left: [] });
      expect(scene.store.snapshots.list()).toEqual([]);
      expect({ nth, findings: await scene.store.check({ deep: true }) }).toEqual({ nth, findings: [] });
      if (nth % 8 !== 0) continue;
      const built = await scene.build(dockerfile, { a: "a" });
      expect({ nth, digest: built.manifest.digest }).toEqual({ nth, digest });
    }
  };
  await Promise.all([worker(), worker()]);
}, 90_000);

test("an engine killed inside a RUN: the next one ends the RUN's processes and unmounts its root", async () => {
  enterPrivateMounts();
  using folder = scratch();
  const child = start(folder.path, 0, "FROM busybox\nRUN echo started; sleep 4321\n");
  for await (const chunk of child.stdout) if (Buffer.from(chunk).includes("started")) break;
  child.kill("SIGKILL");
  await child.exited;
  expect(leftovers(folder.path).length).toBeGreaterThan(0);
  await using _scene = await openBuildScene({ folder: folder.path, keep: true, ownMounts: false });
  expect(leftovers(folder.path)).toEqual([]);
  expect(Bun.spawnSync(["pgrep", "-fx", "sleep 4321"]).stdout.toString()).toBe("");
}, 20_000);
