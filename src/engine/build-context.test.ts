import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#base/core/clock.ts";
import { GantryError } from "#base/core/errors.ts";
import { systemRandom } from "#base/core/random.ts";
import type { Task, TaskContext, WorkerPool } from "#base/system/pool/contract.ts";
import { outsideFolder } from "#formats/dockerfile/outside.ts";
import { tarStream } from "#formats/tar/streams.ts";
import { tarEntry } from "#formats/tar/writer.ts";
import { type Reception, receiveContext, spool } from "./build-context.ts";
import { engineImplementations } from "./copy/bulk.ts";

let folder: string;
let reception: Reception;

/** The real work, done here instead of in a Worker. */
const here = {
  warm: () => undefined,
  async run<A, R>(task: Task<A, R>, args: A): Promise<R> {
    if (task.name === "images.remove-trees") {
      for (const path of (args as { paths: string[] }).paths) rmSync(path, { recursive: true, force: true });
      return { removed: 1 } as R;
    }
    const found = engineImplementations.find((item) => item.name === task.name)!;
    const context: TaskContext = { aborted: () => false, check: () => undefined, progress: () => undefined };
    return (await found.run(args, context)) as R;
  },
} as unknown as WorkerPool;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "context-"));
  reception = { folder, bulk: here, clock: systemClock, random: systemRandom };
});

afterEach(() => rmSync(folder, { recursive: true }));

function tarOf(files: Readonly<Record<string, string>>, links: Readonly<Record<string, string>> = {}) {
  return tarStream(async (tar) => {
    for (const [name, text] of Object.entries(files)) {
      await tar.entry(
        tarEntry({ name: Buffer.from(name), type: "file", mode: 0o644, size: text.length }),
        Buffer.from(text),
      );
    }
    for (const [name, to] of Object.entries(links)) {
      await tar.entry(tarEntry({ name: Buffer.from(name), type: "symlink", linkName: Buffer.from(to) }));
    }
  });
}

const receive = (body: AsyncIterable<Uint8Array>, dockerfile = "Dockerfile") =>
  receiveContext(reception, body, dockerfile, new AbortController().signal);

test("a context is unpacked with its Dockerfile and ignore file, and gone when it is let go", async () => {
  {
    await using context = await receive(tarOf({ Dockerfile: "FROM a", "Dockerfile.dockerignore": "x", "d/f": "1" }));
    expect(Buffer.from(context.dockerfile.bytes).toString()).toBe("FROM a");
    expect(Buffer.from(context.ignore!).toString()).toBe("x");
    expect(readFileSync(join(context.folder, "d/f"), "utf8")).toBe("1");
  }
  expect(readdirSync(folder)).toEqual([]);
});

test("a Dockerfile carried beside the context is no part of it", async () => {
  await using context = await receive(tarOf({ [`${outsideFolder}/x`]: "FROM b", a: "1" }), `${outsideFolder}/x`);
  expect(context.dockerfile.name).toBe("x");
  expect(readdirSync(context.folder)).toEqual(["a"]);
});

test("a Dockerfile is never read from outside of the context", async () => {
  for (const [name, to] of [
    ["Dockerfile", "/etc/passwd"],
    ["Dockerfile", "../../../../etc/passwd"],
  ] as const) {
    await expect(receive(tarOf({ a: "1" }, { [name]: to }))).rejects.toMatchObject({ kind: "not-found" });
  }
  await expect(receive(tarOf({ a: "1" }), "../../../../etc/passwd")).rejects.toMatchObject({ kind: "not-found" });
  expect(readdirSync(folder)).toEqual([]);
});

test("a missing Dockerfile, a folder in its place and a cut tar leave nothing behind", async () => {
  await expect(receive(tarOf({ a: "1" }))).rejects.toThrow("holds no such Dockerfile");
  await expect(receive(tarOf({ "Dockerfile/x": "1" }))).rejects.toMatchObject({ kind: "invalid" });
  const whole = await new Response(tarOf({ Dockerfile: "x".repeat(3000) })).bytes();
  await expect(receive(new Blob([whole.subarray(0, 2000)]).stream())).rejects.toBeInstanceOf(GantryError);
  expect(readdirSync(folder)).toEqual([]);
});

test("a client that leaves in the middle ends the spool with its own reason", async () => {
  const gone = new AbortController();
  const reason = new GantryError("cancelled", { doing: "answer", because: "the client left" });
  async function* body() {
    yield new Uint8Array(100_000);
    gone.abort(reason);
    yield new Uint8Array(100_000);
  }
  await expect(spool(body(), join(folder, "x"), gone.signal)).rejects.toBe(reason);
});

test("a body that breaks and a place that cannot be written reject instead of waiting for ever", async () => {
  async function* body() {
    yield new Uint8Array(10);
    throw new Error("the line broke");
  }
  await expect(spool(body(), join(folder, "x"), new AbortController().signal)).rejects.toThrow("the line broke");
  async function* good() {
    for (let index = 0; index < 50; index += 1) yield new Uint8Array(100_000);
  }
  await expect(spool(good(), join(folder, "no/x"), new AbortController().signal)).rejects.toThrow("ENOENT");
});

test.skipIf(!existsSync("/dev/full"))("a full disk is said as one", async () => {
  async function* body() {
    for (let index = 0; index < 50; index += 1) yield new Uint8Array(100_000);
  }
  await expect(spool(body(), "/dev/full", new AbortController().signal)).rejects.toMatchObject({ kind: "exhausted" });
});
