import { afterEach, beforeEach, expect, test } from "bun:test";
import { linkSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TaskContext } from "#base/system/pool/contract.ts";
import { entriesOf } from "#formats/tar/streams.ts";
import { pack } from "./pack.ts";
import { copyOwner, factsOf } from "./path-facts.ts";

let top: string;
let root: string;
const context: TaskContext = { aborted: () => false, check: () => undefined, progress: () => undefined };

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), "copy-"));
  root = join(top, "root");
  mkdirSync(join(root, "d"), { recursive: true });
  writeFileSync(join(root, "d/a"), "inside", { mode: 0o640 });
  writeFileSync(join(top, "secret"), "outside");
});

afterEach(() => rmSync(top, { recursive: true }));

async function packed(path: string, name: string): Promise<string[]> {
  const file = join(top, "out.tar");
  pack({ root, path, file, name }, context);
  const seen: string[] = [];
  for await (const { entry, content } of entriesOf(Bun.file(file).stream())) {
    let text = "";
    for await (const chunk of content) text += Buffer.from(chunk).toString();
    const link = Buffer.from(entry.linkName).toString();
    seen.push(
      `${Buffer.from(entry.name).toString()} ${entry.type}${link === "" ? "" : ` ${link}`}${text && ` ${text}`}`,
    );
  }
  return seen;
}

test("a folder comes under its name in byte order, hard links once, a socket not at all", async () => {
  linkSync(join(root, "d/a"), join(root, "d/b"));
  symlinkSync("/etc/passwd", join(root, "d/c"));
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(root, "d/s"), resolve));
  expect(await packed("/d", "new")).toEqual([
    "new/ directory",
    "new/a file inside",
    "new/b hardlink new/a",
    "new/c symlink /etc/passwd",
  ]);
  server.close();
  expect(await packed("/d/a", "a")).toEqual(["a file inside"]);
  expect((await packed("/", "")).slice(0, 2)).toEqual(["d/ directory", "d/a file inside"]);
});

test("no path and no link leads out of the root", async () => {
  symlinkSync(top, join(root, "up"));
  symlinkSync("/", join(root, "all"));
  for (const path of ["/../secret", "/d/../../secret", "/up/secret"]) {
    await expect(packed(path, "x")).rejects.toThrow();
    expect(() => factsOf({ root, path })).toThrow(expect.objectContaining({ kind: "not-found" }));
  }
  expect(await packed("/all/d/a", "x")).toEqual(["x file inside"]);
});

test("dots at the end stay inside the root: above it is the root itself", async () => {
  for (const path of ["/..", "/../..", "/d/../..", "/d/.."]) {
    expect(await packed(path, "x")).toEqual(["x/ directory", "x/d/ directory", "x/d/a file inside"]);
    expect(factsOf({ root, path }).name).toBe("/");
  }
});

test("facts are Go's mode bits, a link's own and not what it leads to", () => {
  symlinkSync("d", join(root, "l"));
  expect(factsOf({ root, path: "/d" }).mode).toBe(2 ** 31 + 0o755);
  expect(factsOf({ root, path: "/d/a" })).toMatchObject({ name: "a", size: 6, mode: 0o640, linkTarget: "" });
  expect(factsOf({ root, path: "/l" })).toMatchObject({ linkTarget: "d", mode: 2 ** 27 + 0o777 });
  expect(factsOf({ root, path: "/" }).name).toBe("/");
  for (const path of ["/none", "/d/a/below", "/none/x"]) {
    expect(() => factsOf({ root, path })).toThrow(expect.objectContaining({ kind: "not-found" }));
  }
});

test("a fresh volume takes its folder's mode, and nothing when there is no such folder", () => {
  const to = join(top, "volume");
  mkdirSync(to, { mode: 0o755 });
  mkdirSync(join(root, "t"));
  expect(copyOwner({ root, path: "/none", to })).toBe(false);
  expect(copyOwner({ root, path: "/d/a", to })).toBe(false);
  expect(copyOwner({ root, path: "/t", to })).toBe(true);
  expect(statSync(to).mode & 0o7777).toBe(statSync(join(root, "t")).mode & 0o7777);
});
