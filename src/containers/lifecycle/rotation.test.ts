import { expect, test } from "bun:test";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LogLine } from "./contract.ts";
import { logBounds } from "./log-rotation.ts";
import { openScene } from "./testing/scene.ts";

/** Writes numbered lines as fast as a shell can. */
const count = (from: number, to: number) =>
  `w=$(head -c 250 /dev/zero | tr "\\0" x); i=${from}; while [ $i -lt ${to} ]; do echo line $i $w; i=$((i+1)); done`;

const numbers = (lines: readonly LogLine[]) =>
  lines.map(({ bytes }) => Number(Buffer.from(bytes.subarray(5)).toString().split(" ")[0]));

/** Bytes on disk, second names not counted again. */
function diskBytes(folder: string): number {
  const files = new Map<number, number>();
  for (const name of readdirSync(folder, { recursive: true }) as string[]) {
    const { ino, size } = statSync(join(folder, name));
    if (statSync(join(folder, name)).isFile()) files.set(ino, size);
  }
  return [...files.values()].reduce((sum, size) => sum + size, 0);
}

test("a follower sees every line once and in order across 100 turns, though only three files are kept", async () => {
  await using scene = openScene();
  const { containers } = scene;
  const total = 360_000;
  const script = `until [ -e /go ]; do sleep 0.01; done; ${count(0, total)}`;
  const id = await scene.create(["sh", "-c", script], { config: { logSizeMax: 2 ** 20, logFiles: 3 } });
  await containers.start(id);
  const seen: number[] = [];
  const follower = containers.logs(id, { follow: true })[Symbol.asyncIterator]();
  // It follows from here on; a file dropped before would be no loss of its.
  const first = follower.next();
  await using root = await containers.openRoot(id);
  writeFileSync(join(root.path, "go"), "");
  for (let some = await first; !some.done; some = await follower.next()) seen.push(...numbers(some.value));
  expect(seen.length).toBe(total);
  // Waits until the end is cleared away: the oldest file goes then at the latest.
  await using _stopped = await containers.openRoot(id);
  expect(seen.findIndex((number, at) => number !== at)).toBe(-1);
  const segments = readdirSync(join(scene.base.folder, "data/containers", id, "segments")).map(Number);
  expect(Math.max(...segments)).toBeGreaterThan(200);
  expect(diskBytes(join(scene.base.folder, "data/containers", id))).toBeLessThanOrEqual(3 * 2 ** 20);
  const kept: number[] = [];
  for await (const lines of containers.logs(id)) kept.push(...numbers(lines));
  expect(kept).toEqual(seen.slice(-kept.length));
  expect(kept.length).toBeGreaterThan(1000);
}, 60_000);

/** Reads from a follower until it has a line with this number. */
async function until(follower: AsyncIterator<readonly LogLine[]>, number: number, seen: number[]): Promise<void> {
  while (!seen.includes(number)) {
    const { value, done } = await follower.next();
    if (done) return;
    seen.push(...numbers(value));
  }
}

for (const config of [{}, { logSizeMax: 2 ** 20, logFiles: 3 }]) {
  const kind = config.logFiles === undefined ? "one file" : "several files";
  test(`clear drops what was written, of a running container with ${kind} too; what comes after is kept and followed`, async () => {
    await using scene = openScene();
    const { containers } = scene;
    const script = `${count(0, 2_000)}; read x; ${count(2_000, 2_010)}; read x; ${count(2_010, 2_020)}`;
    const id = await scene.create(["sh", "-c", script], { config: { ...config, openStdin: true } });
    await using client = await containers.attach(id, { stdin: true });
    await containers.start(id);
    const seen: number[] = [];
    const follower = containers.logs(id, { follow: true })[Symbol.asyncIterator]();
    await until(follower, 1_999, seen);
    await containers.clearLogs(id);
    const kept = async () => {
      const found: number[] = [];
      for await (const lines of containers.logs(id)) found.push(...numbers(lines));
      return found;
    };
    expect(await kept()).toEqual([]);
    await client.write(Buffer.from("go on\n"));
    await until(follower, 2_009, seen);
    expect((await kept()).length).toBe(10);
    const end = containers.wait(id, "next-exit");
    await client.write(Buffer.from("go on\n"));
    await until(follower, 2_019, seen);
    await end;
    expect(seen.findIndex((number, at) => number !== at)).toBe(-1);
    expect(seen.length).toBe(2_020);
    expect(await kept()).toEqual(seen.slice(2_000));
    await containers.clearLogs(id);
    expect(await kept()).toEqual([]);
  }, 30_000);
}

test("several small files are fewer of a size that can be kept up with", () => {
  expect(logBounds({ process: { args: [] } })).toEqual({ sizeMax: 256 * 2 ** 20, keep: 1 });
  expect(logBounds({ process: { args: [] }, logSizeMax: 10_000 })).toEqual({ sizeMax: 10_000, keep: 1 });
  expect(logBounds({ process: { args: [] }, logSizeMax: 10_000, logFiles: 3 })).toEqual({ sizeMax: 2 ** 20, keep: 2 });
  expect(logBounds({ process: { args: [] }, logSizeMax: 2 ** 19, logFiles: 8 })).toEqual({ sizeMax: 2 ** 20, keep: 4 });
});
