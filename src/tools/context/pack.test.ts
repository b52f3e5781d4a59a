import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { entriesOf } from "#formats/tar/streams.ts";
import { outsideFolder } from "./contract.ts";
import { packContext } from "./pack.ts";
import { packPath } from "./pack-path.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pack-"));
  writeFileSync(join(folder, "Dockerfile"), "FROM scratch\n");
});

afterEach(() => rmSync(folder, { recursive: true }));

async function listed(stream: ReadableStream<Uint8Array>): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { entry, content } of entriesOf(stream)) {
    let text = entry.type === "symlink" ? `-> ${Buffer.from(entry.linkName).toString()}` : "";
    for await (const chunk of content) text += Buffer.from(chunk).toString();
    found[Buffer.from(entry.name).toString("latin1")] = text;
  }
  return found;
}

const inside = (name = "Dockerfile") => packContext({ folder, dockerfile: { inside: name } });

test("a folder comes in byte order, names kept byte for byte", async () => {
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0x61])]), "1");
  mkdirSync(join(folder, "b"));
  writeFileSync(join(folder, "b/x"), "2");
  symlinkSync("b/x", join(folder, "a"));
  expect(Object.entries(await listed(inside().stream))).toEqual([
    ["Dockerfile", "FROM scratch\n"],
    ["a", "-> b/x"],
    ["b/", ""],
    ["b/x", "2"],
    ["\xffa", "1"],
  ]);
});

test("the same folder gives the same bytes", async () => {
  utimesSync(join(folder, "Dockerfile"), 1000.75, 1000.75);
  const once = await new Response(inside().stream).bytes();
  expect(Buffer.compare(once, await new Response(inside().stream).bytes())).toBe(0);
});

test("what is ignored stays here, what is taken back in comes", async () => {
  writeFileSync(join(folder, ".dockerignore"), "secret\nlogs/*\n!logs/keep\n");
  writeFileSync(join(folder, "secret"), "s");
  mkdirSync(join(folder, "logs"));
  for (const name of ["a", "keep"]) writeFileSync(join(folder, "logs", name), name);
  const names = Object.keys(await listed(inside().stream));
  expect(names).toContain("logs/keep");
  expect(names).not.toContain("logs/a");
  expect(names).not.toContain("secret");
});

test("a Dockerfile that is ignored, or from elsewhere, is carried beside the context", async () => {
  writeFileSync(join(folder, ".dockerignore"), "Dockerfile\n");
  const ignored = inside();
  expect(ignored.dockerfile).toBe(`${outsideFolder}/Dockerfile`);
  expect(Object.keys(await listed(ignored.stream))).toEqual([`${outsideFolder}/Dockerfile`, ".dockerignore"]);
  const other = packContext({ folder, dockerfile: { name: "x", bytes: Buffer.from("FROM b\n") } });
  expect((await listed(other.stream))[`${outsideFolder}/x`]).toBe("FROM b\n");
});

test("no folder, a file in its place and a missing Dockerfile say what to do", () => {
  for (const path of [join(folder, "none"), join(folder, "Dockerfile")]) {
    expect(() => packContext({ folder: path, dockerfile: { inside: "Dockerfile" } })).toThrow(
      "there is no such folder",
    );
  }
  expect(() => inside("Other")).toThrow("gantry init");
});

test("a socket is left out", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(folder, "s"), resolve));
  expect(Object.keys(await listed(inside().stream))).toEqual(["Dockerfile"]);
  server.close();
});

test("a path to copy keeps what it holds under its new name", async () => {
  mkdirSync(join(folder, "d"));
  writeFileSync(join(folder, "d/a"), "1");
  expect(await listed(packPath(join(folder, "d"), "new"))).toEqual({ "new/": "", "new/a": "1" });
  expect(() => packPath(join(folder, "none"), "x")).toThrow("there is no such file or folder");
});
