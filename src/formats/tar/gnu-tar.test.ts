import { expect, test } from "bun:test";
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { extract } from "tar-stream";
import { openFolder } from "#base/system/files/open.ts";
import { setXattrAt } from "#base/system/files/xattr.ts";
import type { TarEntry } from "./contract.ts";
import { createTarReader } from "./reader.ts";
import { createTarWriter, tarEntry } from "./writer.ts";

function scratch(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), "tar-test-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

function run(command: string[], input?: Uint8Array): Buffer {
  const done = Bun.spawnSync(command, {
    stdin: input ?? "ignore",
    stdout: "pipe",
    stderr: "pipe",
    env: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
  });
  if (done.exitCode !== 0) throw new Error(`${command.join(" ")}: ${done.stderr}`);
  return Buffer.from(done.stdout);
}

/** A tree with what tars find hard. Names are given to the kernel as bytes. */
function plant(root: string): void {
  mkdirSync(join(root, "d/deep"), { recursive: true });
  writeFileSync(join(root, "d/file"), "content");
  linkSync(join(root, "d/file"), join(root, "d/hard"));
  symlinkSync("../../etc/passwd", join(root, "d/link"));
  symlinkSync("x".repeat(200), join(root, "longlink"));
  const long = `d/${"n".repeat(120)}`;
  mkdirSync(join(root, long));
  writeFileSync(join(root, long, "m".repeat(150)), "long");
  writeFileSync(Buffer.concat([Buffer.from(`${root}/odd-`), Buffer.from([0xff, 0xfe, 0x0a, 0x5c])]), "odd");
  const sparse = join(root, "sparse");
  const fd = openSync(sparse, "w");
  for (let i = 0; i < 30; i++) writeSync(fd, Buffer.from(`part ${i}`), 0, 6, i * 1_000_000);
  truncateSync(sparse, 50_000_000);
  run(["mkfifo", join(root, "fifo")]);
  run(["mknod", join(root, "null"), "c", "1", "3"]);
  run(["chown", "70000:3000000", join(root, "d/deep")]);
}

function list(tar: Uint8Array): { entry: TarEntry; digest: string }[] {
  const found: { entry: TarEntry; hasher: Bun.CryptoHasher; at: number; part: number }[] = [];
  const reader = createTarReader({
    entry: (entry) => found.push({ entry, hasher: new Bun.CryptoHasher("sha256"), at: 0, part: 0 }),
    data(chunk) {
      const last = found.at(-1)!;
      let from = 0;
      while (from < chunk.length) {
        const segment = last.entry.sparse?.[last.part] ?? { offset: 0, length: last.entry.size };
        if (last.at < segment.offset) last.hasher.update(new Uint8Array(segment.offset - last.at));
        if (last.at < segment.offset) last.at = segment.offset;
        const take = Math.min(chunk.length - from, segment.offset + segment.length - last.at);
        last.hasher.update(chunk.subarray(from, from + take));
        from += take;
        last.at += take;
        if (last.at === segment.offset + segment.length) last.part += 1;
      }
    },
    end() {
      const last = found.at(-1)!;
      if (last.at < last.entry.size) last.hasher.update(new Uint8Array(last.entry.size - last.at));
    },
  });
  for (let at = 0; at < tar.length; at += 10_000) reader.push(tar.subarray(at, at + 10_000));
  reader.finish();
  return found.map(({ entry, hasher }) => ({ entry, digest: hasher.digest("hex") }));
}

const formats = [
  ["gnu", []],
  ["gnu sparse", ["--format=gnu", "--sparse"]],
  ["posix", ["--format=posix"]],
  ["posix sparse 1.0", ["--format=posix", "--sparse", "--sparse-version=1.0"]],
  ["posix sparse 0.1", ["--format=posix", "--sparse", "--sparse-version=0.1"]],
  ["posix sparse 0.0", ["--format=posix", "--sparse", "--sparse-version=0.0"]],
] as const;

for (const [name, options] of formats)
  test(`GNU tar's ${name} archive lists the same names and holds the same bytes`, () => {
    using folder = scratch();
    plant(folder.path);
    const tar = run(["tar", "-C", folder.path, ...options, "-c", "."]);
    const entries = list(tar);
    const names = run(["tar", "--list", "--quoting-style=escape"], tar).toString().trimEnd().split("\n");
    const escaped = entries.map(({ entry }) =>
      Buffer.from(entry.name)
        .toString("latin1")
        .replaceAll("\\", "\\\\")
        .replaceAll("\n", "\\n")
        .replace(/[\x80-\xff]/g, (c) => `\\${c.charCodeAt(0).toString(8)}`),
    );
    expect(escaped).toEqual(names);
    for (const { entry, digest } of entries)
      if (entry.type === "file")
        expect(digest).toBe(
          new Bun.CryptoHasher("sha256")
            .update(readFileSync(Buffer.concat([Buffer.from(`${folder.path}/`), entry.name])))
            .digest("hex"),
        );
    const deep = entries.find(({ entry }) => Buffer.from(entry.name).toString() === "./d/deep/")!.entry;
    expect([deep.uid, deep.gid]).toEqual([70000, 3000000]);
    const device = entries.find(({ entry }) => entry.type === "character")!.entry;
    expect([device.major, device.minor]).toEqual([1, 3]);
  });

test("xattrs in GNU tar's archive keep their bytes", () => {
  using folder = scratch();
  writeFileSync(join(folder.path, "f"), "");
  {
    using opened = openFolder(folder.path);
    expect(setXattrAt(opened.fd, "f", "user.bin", Uint8Array.of(0xc0, 0xff, 0, 0xc1))).toBe(0);
  }
  const [found] = list(run(["tar", "-C", folder.path, "--xattrs", "--format=posix", "-c", "f"]));
  expect(found!.entry.xattrs.get("user.bin")).toEqual(Uint8Array.of(0xc0, 0xff, 0, 0xc1));
});

function ours(): Uint8Array {
  const chunks: Uint8Array[] = [];
  const writer = createTarWriter((chunk) => chunks.push(chunk.slice()));
  const put = (fields: Parameters<typeof tarEntry>[0], content = "") => {
    writer.entry(
      tarEntry({
        mode: fields.type === "directory" ? 0o755 : 0o644,
        size: content.length,
        modified: { seconds: 1e9, nanoseconds: 0 },
        ...fields,
      }),
    );
    writer.data(Buffer.from(content));
  };
  const name = (text: string) => Buffer.from(text, "latin1");
  put({ name: name("d/"), type: "directory" });
  put({ name: name("d/file"), type: "file", uid: 3_000_000 }, "content");
  put({ name: name("d/hard"), type: "hardlink", linkName: name("d/file") });
  put({ name: name("d/link"), type: "symlink", linkName: name("x".repeat(150)) });
  put({ name: name(`${"p".repeat(140)}/`), type: "directory" });
  put({ name: name(`${"p".repeat(140)}/${"q".repeat(90)}`), type: "file" }, "split");
  put({ name: name(`${"p".repeat(140)}/${"r".repeat(200)}`), type: "file" }, "pax");
  put({ name: name("odd-\xff\xfe"), type: "file", xattrs: new Map([["user.bin", Uint8Array.of(0xc0, 0)]]) }, "odd");
  put({ name: name("fraction"), type: "file", modified: { seconds: 5, nanoseconds: 250_000_000 } });
  writer.finish();
  return Buffer.concat(chunks);
}

test("GNU tar extracts what we write, with names, links, owners, times and xattrs", () => {
  using folder = scratch();
  run(["tar", "-C", folder.path, "--xattrs", "--xattrs-include=*", "--numeric-owner", "-xp"], ours());
  expect(readFileSync(join(folder.path, "d/hard"), "utf8")).toBe("content");
  expect(run(["stat", "-c", "%u %h %Y", join(folder.path, "d/file")]).toString()).toBe("3000000 2 1000000000\n");
  expect(readFileSync(join(folder.path, "p".repeat(140), "q".repeat(90)), "utf8")).toBe("split");
  expect(readFileSync(join(folder.path, "p".repeat(140), "r".repeat(200)), "utf8")).toBe("pax");
  const names = readdirSync(folder.path, { encoding: "buffer" }).map((name) => Buffer.from(name).toString("latin1"));
  expect(names).toContain("odd-\xff\xfe");
  expect(run(["stat", "-c", "%.9Y", join(folder.path, "fraction")]).toString()).toBe("5.250000000\n");
});

test("tar-stream reads what we write", async () => {
  const names: string[] = [];
  const reader = extract();
  reader.on("entry", (header, stream, next) => {
    names.push(`${header.type} ${header.name}`);
    stream.on("end", next);
    stream.resume();
  });
  const over = new Promise<void>((resolve, reject) => reader.on("finish", resolve).on("error", reject));
  reader.end(ours());
  await over;
  expect(names.length).toBe(9);
  expect(names[2]).toBe("link d/hard");
  expect(names[6]).toBe(`file ${"p".repeat(140)}/${"r".repeat(200)}`);
});
