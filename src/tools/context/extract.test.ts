import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TarEntry } from "#formats/tar/contract.ts";
import { tarStream } from "#formats/tar/streams.ts";
import { tarEntry } from "#formats/tar/writer.ts";
import { extractArchive } from "./extract.ts";

let top: string;
let target: string;
/** Stands for the user's other files: never touched. */
let canary: string;

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), "extract-"));
  target = join(top, "target");
  canary = join(top, "canary");
  mkdirSync(target);
  writeFileSync(canary, "alive");
});

afterEach(() => {
  expect(readFileSync(canary, "utf8")).toBe("alive");
  expect(statSync(canary).nlink).toBe(1);
  expect(readdirSync(top).sort()).toEqual(["canary", "target"]);
  rmSync(top, { recursive: true });
});

type Item = readonly [name: string, type: TarEntry["type"], content?: string, mode?: number];

function archive(...items: readonly Item[]): ReadableStream<Uint8Array> {
  return tarStream(async (tar) => {
    for (const [text, type, content = "", mode = 0o644] of items) {
      const name = Buffer.from(text);
      if (type === "file") await tar.entry(tarEntry({ name, type, mode, size: content.length }), Buffer.from(content));
      else await tar.entry(tarEntry({ name, type, mode, linkName: Buffer.from(content) }));
    }
  });
}

const extract = (name: string | undefined, ...items: readonly Item[]) =>
  extractArchive(archive(...items), { folder: target, name });

test("folders, files, links and modes come over, whatever the umask", async () => {
  const before = process.umask(0o077);
  try {
    await extract(
      undefined,
      ["d/", "directory", "", 0o755],
      ["d/run", "file", "#!", 0o775],
      ["d/link", "symlink", "run"],
      ["d/same", "hardlink", "d/run"],
    );
  } finally {
    process.umask(before);
  }
  expect(statSync(join(target, "d/run")).mode & 0o7777).toBe(0o775);
  expect(readlinkSync(join(target, "d/link"))).toBe("run");
  expect(statSync(join(target, "d/same")).nlink).toBe(2);
});

test("the top entry takes the name it is given, links inside the archive too", async () => {
  await extract("copy", ["d/", "directory", "", 0o755], ["d/a", "file", "1"], ["d/b", "hardlink", "d/a"]);
  expect(readFileSync(join(target, "copy/b"), "utf8")).toBe("1");
});

test("a name that leads out is refused and nothing is written", async () => {
  for (const name of ["../canary", "d/../../canary", "/../canary", "..", "./../canary"]) {
    await expect(extract(undefined, [name, "file", "dead"])).rejects.toMatchObject({ kind: "denied" });
  }
  expect(readdirSync(target)).toEqual([]);
});

test("an absolute name stays below the folder", async () => {
  await extract(undefined, [canary, "file", "inside"]);
  expect(readFileSync(join(target, canary), "utf8")).toBe("inside");
});

test("nothing is written through a link, one of the archive's or one that was there", async () => {
  await expect(extract(undefined, ["l", "symlink", ".."], ["l/canary", "file", "dead"])).rejects.toThrow(
    "through a link",
  );
  await expect(extract(undefined, ["m", "symlink", ".."], ["m/", "directory", "", 0o777])).rejects.toThrow("a link is");
  symlinkSync(top, join(target, "here"));
  await expect(extract(undefined, ["here/canary", "file", "dead"])).rejects.toThrow("through a link");
});

test("a file in a link's place replaces the link, not what it leads to", async () => {
  symlinkSync(canary, join(target, "c"));
  await extract(undefined, ["c", "file", "new"]);
  expect(lstatSync(join(target, "c")).isFile()).toBe(true);
});

test("a hard link to what is outside, behind a link, missing or a link itself is refused", async () => {
  symlinkSync(top, join(target, "up"));
  for (const to of ["../canary", "up/canary", "none", "up"]) {
    await expect(extract(undefined, ["h", "hardlink", to])).rejects.toMatchObject({ kind: "denied" });
    expect(existsSync(join(target, "h"))).toBe(false);
  }
});

test("devices and fifos are left out and take nothing away", async () => {
  writeFileSync(join(target, "mine"), "mine");
  await extract(undefined, ["mine", "fifo"], ["dev", "character"]);
  expect(readFileSync(join(target, "mine"), "utf8")).toBe("mine");
  expect(readdirSync(target)).toEqual(["mine"]);
});

test("the user's own folder keeps its mode, a folder in a file's place is refused", async () => {
  chmodSync(target, 0o750);
  await extract(undefined, ["./", "directory", "", 0o777]);
  expect(statSync(target).mode & 0o777).toBe(0o750);
  mkdirSync(join(target, "d"));
  await expect(extract(undefined, ["d", "file", "x"])).rejects.toThrow("a folder is where");
});

test("a cut archive and a missing folder are said in words", async () => {
  const whole = new Uint8Array(await new Response(archive(["a", "file", "x".repeat(2000)])).arrayBuffer());
  const cut = new Blob([whole.subarray(0, 1500)]).stream();
  await expect(extractArchive(cut, { folder: target, name: undefined })).rejects.toMatchObject({ kind: "corrupt" });
  await expect(extractArchive(archive(), { folder: join(target, "none"), name: "x" })).rejects.toMatchObject({
    kind: "not-found",
  });
});
