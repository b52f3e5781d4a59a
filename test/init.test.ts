import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startEngine, type TestEngine } from "./support/engine.ts";

/** A newcomer's folders: what `gantry init` writes must build and run at once, over a real Debian base. */
let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ bare: true, keepCache: true });
  await engine.ok("bootstrap", "debian:bookworm");
}, 180_000);
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

async function boxed(
  name: string,
  files: Readonly<Record<string, string>> | string,
  ...words: string[]
): Promise<string> {
  const folder = join(engine.folder, name);
  if (typeof files === "string") cpSync(files, folder, { recursive: true });
  else {
    mkdirSync(folder);
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text, { mode: 0o755 });
  }
  await engine.ok("init", folder);
  await engine.ok("build", "-q", "-t", name, folder);
  return await engine.ok("run", "--rm", name, ...words);
}

test("the example script is in a box and prints its table", async () => {
  expect(await boxed("growth", join(import.meta.dir, "../examples/my-script"))).toContain("wild type");
}, 120_000);

test("a shell script gets its arguments", async () => {
  expect(await boxed("hello", { "hello.sh": '#!/bin/sh\necho "hello $1"\n' }, "box")).toBe("hello box");
}, 120_000);

test("a C program is compiled in one stage and runs from another", async () => {
  const source = '#include <stdio.h>\nint main(void) { puts("compiled"); return 0; }\n';
  expect(await boxed("program", { "main.c": source })).toBe("compiled");
}, 120_000);

test("an apt step gives the same digest twice, and no name of a package source is in the image", async () => {
  const folder = join(engine.folder, "apt");
  mkdirSync(folder);
  writeFileSync(
    join(folder, "Dockerfile"),
    "FROM debian:bookworm\nRUN apt-get update && apt-get install -y --no-install-recommends hello\n",
  );
  const first = await engine.ok("build", "-q", "--no-cache", folder);
  const second = await engine.ok("build", "-q", "--no-cache", "-t", "apt", folder);
  expect(second).toBe(first);
  const sources = await engine.ok(
    "run",
    "--rm",
    "apt",
    "sh",
    "-c",
    "cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | wc -c; hello",
  );
  expect(sources).toBe("0\nHello, world!");
}, 120_000);
