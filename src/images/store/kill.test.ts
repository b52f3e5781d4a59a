import { expect, test } from "bun:test";
import { join } from "node:path";
import { openTestStore, scratch } from "./testing/test-store.ts";

const scenario = join(import.meta.dir, "testing/kill-scenario.ts");

async function run(
  root: string,
  nth?: number,
): Promise<{ code: number | null; signal: NodeJS.Signals | number | null; out: string }> {
  const child = Bun.spawn([process.execPath, scenario, root, ...(nth === undefined ? [] : [String(nth)])], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  await child.exited;
  if (child.signalCode === null && child.exitCode !== 0) throw new Error(`${nth}: ${err}`);
  return { code: child.exitCode, signal: child.signalCode, out };
}

test("killed at any of its writes, the store opens as old or as new and goes on", async () => {
  using first = scratch();
  const writes = Number((await run(first.path)).out);
  expect(writes).toBeGreaterThan(50);
  let next = 1;
  const worker = async () => {
    for (let nth = next++; nth <= writes; nth = next++) {
      using folder = scratch();
      const dead = await run(folder.path, nth);
      expect(dead.signal).toBe("SIGKILL");
      {
        await using here = await openTestStore({ root: folder.path, keep: true });
        expect({ nth, findings: await here.store.check({ deep: true }) }).toEqual({ nth, findings: [] });
      }
      // A sample goes on to the end, over what the dead one left.
      if (nth % 5 === 0) {
        await run(folder.path);
        await using here = await openTestStore({ root: folder.path, keep: true });
        expect(await here.store.check({ deep: true })).toEqual([]);
      }
    }
  };
  await Promise.all([worker(), worker()]);
}, 60_000);
