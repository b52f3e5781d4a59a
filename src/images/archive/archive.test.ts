import { expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { isKind } from "#base/core/errors.ts";
import { digestOf } from "#formats/oci/digest.ts";
import { entriesOf } from "#formats/tar/streams.ts";
import { storeTasks } from "#images/store/bulk.ts";
import {
  gzip,
  inlinePool,
  layerTar,
  openTestStore,
  plantImage,
  plantLayer,
  scratch,
  type TestEntry,
  type TestStore,
} from "#images/store/testing/test-store.ts";
import { openArchive } from "./open-archive.ts";

const stream = (bytes: Uint8Array) => new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
const archiveOf = (here: TestStore) => openArchive({ store: here.store, bulk: inlinePool(storeTasks()) });
const whole = (tar: ReadableStream<Uint8Array>) => new Response(tar).bytes();

async function kindOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
  } catch (error) {
    return isKind(error) ? error.kind : `foreign: ${error}`;
  }
  return "none";
}

function skopeo(...args: string[]): string {
  const done = Bun.spawnSync(["skopeo", ...args], { stdout: "pipe", stderr: "pipe" });
  if (done.exitCode !== 0) throw new Error(`skopeo ${args.join(" ")}: ${done.stderr}`);
  return done.stdout.toString();
}

const busybox: TestEntry[] = [
  { name: "bin/", type: "directory" },
  {
    name: "bin/busybox",
    mode: 0o755,
    content: existsSync("/bin/busybox") ? new Uint8Array(readFileSync("/bin/busybox")) : "none",
  },
  { name: "bin/sh", type: "hardlink", linkName: "bin/busybox" },
];

async function planted(here: TestStore, name = "busybox:1") {
  const layers = [
    await plantLayer(here.store, layerTar(busybox), true),
    await plantLayer(here.store, layerTar([{ name: "etc/x", content: "x" }])),
  ];
  return plantImage(here.store, name, layers);
}

test("what is saved is loaded to the same image, plain, gzip'd or zstd'd", async () => {
  await using from = await openTestStore();
  const image = await planted(from);
  from.store.images.tag(image.id, "localhost:5000/other:2");
  const saved = await whole(await archiveOf(from).save(["busybox:1", "localhost:5000/other:2"]));
  expect(Buffer.compare(saved, await whole(await archiveOf(from).save(["busybox:1", "localhost:5000/other:2"])))).toBe(
    0,
  );
  for (const bytes of [saved, gzip(saved), zstdCompressSync(saved)]) {
    await using to = await openTestStore();
    const loaded = await archiveOf(to).load(stream(bytes));
    expect(loaded.map(({ target }) => target.digest)).toEqual([image.id]);
    expect(to.store.images.get(image.id)!.names).toEqual(["docker.io/library/busybox:1", "localhost:5000/other:2"]);
    await to.store.layers.ensure(await to.store.images.open(to.store.images.resolve("busybox:1")));
    expect(await to.store.check({ deep: true })).toEqual([]);
  }
  const byId = await whole(await archiveOf(from).save([image.id]));
  await using to = await openTestStore();
  expect((await archiveOf(to).load(stream(byId)))[0]!.names).toEqual([]);
});

test("a repository without a tag is saved with all its tags, an ID without any", async () => {
  await using from = await openTestStore();
  const image = await planted(from, "app:1");
  from.store.images.tag(image.id, "app:2");
  from.store.images.tag(image.id, "apple:1");
  await using to = await openTestStore();
  const [loaded] = await archiveOf(to).load(stream(await whole(await archiveOf(from).save(["app"]))));
  expect(loaded!.names).toEqual(["docker.io/library/app:1", "docker.io/library/app:2"]);
  expect(await kindOf(() => archiveOf(from).save(["ap"]))).toBe("not-found");
});

test("load says whose name it takes", async () => {
  await using from = await openTestStore();
  await planted(from, "app:1");
  const saved = await whole(await archiveOf(from).save(["app:1"]));
  await using to = await openTestStore();
  const old = await plantImage(to.store, "app:1", [], "the old one");
  const [first] = await archiveOf(to).load(stream(saved));
  expect([...first!.replaced!]).toEqual([["docker.io/library/app:1", old.id]]);
  expect(to.store.images.get(old.id)!.names).toEqual([]);
  const [again] = await archiveOf(to).load(stream(saved));
  expect(again!.replaced!.size).toBe(0);
});

test("what has nothing for the platform that is asked for is not loaded", async () => {
  await using from = await openTestStore();
  await planted(from, "app:1");
  const saved = await whole(await archiveOf(from).save(["app:1"]));
  await using to = await openTestStore();
  const platform = { os: "linux", architecture: "riscv64" };
  expect(await kindOf(() => archiveOf(to).load(stream(saved), { platform }))).toBe("not-found");
  expect(to.store.images.list()).toEqual([]);
});

test("an image is loaded unpacked, and not at all when its last layer is cut short", async () => {
  await using from = await openTestStore();
  const layer = layerTar([{ name: "file", content: new Uint8Array(5000) }]);
  const [good, bad] = [await plantLayer(from.store, layer, true), await plantLayer(from.store, layer.slice(0, 2000))];
  await plantImage(from.store, "good:1", [good]);
  await plantImage(from.store, "bad:1", [good, bad]);
  await using to = await openTestStore();
  const both = await whole(await archiveOf(from).save(["good:1", "bad:1"]));
  const refused = await archiveOf(to)
    .load(stream(both))
    .catch((error: Error) => error.message);
  expect(refused).toContain("docker.io/library/bad:1");
  expect(refused).toContain(bad.descriptor.digest);
  expect(to.store.images.list()).toEqual([]);
  await to.store.collect({ grace: -1000 });
  expect([to.store.usage().blobs.count, to.store.layers.list()]).toEqual([0, []]);
  const told = new Set<string | undefined>();
  await archiveOf(to).load(stream(await whole(await archiveOf(from).save(["good:1"]))), {
    onProgress: ({ phase, layer }) => void (phase === "unpacking" && told.add(layer?.diffId)),
  });
  expect([...told]).toEqual([good.diffId]);
  expect(to.store.layers.list().map(({ blob }) => blob)).toEqual([good.descriptor.digest]);
});

test("skopeo reads what we save and we read what skopeo writes, in both formats", async () => {
  using folder = scratch();
  await using from = await openTestStore();
  const image = await planted(from);
  const path = (name: string) => join(folder.path, name);
  writeFileSync(path("saved.tar"), await whole(await archiveOf(from).save(["busybox:1"])));
  const opened = await from.store.images.open(image);
  skopeo("copy", "--insecure-policy", `oci-archive:${path("saved.tar")}`, `dir:${path("dir")}`);
  expect(digestOf(readFileSync(path("dir/manifest.json")))).toBe(image.id);
  skopeo(
    "copy",
    "--insecure-policy",
    `docker-archive:${path("saved.tar")}:busybox:1`,
    `oci-archive:${path("oci.tar")}:again:7`,
  );
  skopeo("copy", "--insecure-policy", `dir:${path("dir")}`, `docker-archive:${path("docker.tar")}:again:8`);
  for (const [name, tag] of [
    ["oci.tar", "again:7"],
    ["docker.tar", "again:8"],
  ] as const) {
    await using to = await openTestStore();
    await archiveOf(to).load(stream(readFileSync(path(name))));
    const loaded = await to.store.images.open(to.store.images.resolve(tag));
    expect(loaded.config.rootfs).toEqual(opened.config.rootfs);
    await to.store.layers.ensure(loaded);
    expect(await to.store.check({ deep: true })).toEqual([]);
  }
});

test("GNU tar lists a saved archive with blobs, index, manifest and layout", async () => {
  await using here = await openTestStore();
  await planted(here);
  const saved = await whole(await archiveOf(here).save(["busybox:1"]));
  const names = Bun.spawnSync(["tar", "-t"], { stdin: saved, stdout: "pipe" }).stdout.toString().trim().split("\n");
  expect(names.slice(0, 2)).toEqual(["blobs/", "blobs/sha256/"]);
  expect(names.slice(-3)).toEqual(["index.json", "manifest.json", "oci-layout"]);
});

test("a root file system is imported with Dockerfile-like changes", async () => {
  await using here = await openTestStore();
  const rootfs = layerTar(busybox);
  const changes = [
    'CMD ["sh", "-c", "true"]',
    "ENTRYPOINT run it",
    'ENV A=1 B="two words"',
    "EXPOSE 80 53/udp",
    "LABEL a=b",
    "USER 1000:1000",
    'VOLUME ["/data"]',
    "WORKDIR /work",
    "STOPSIGNAL SIGINT",
    "ONBUILD RUN true",
    "HEALTHCHECK --interval=5s CMD true",
  ];
  const { target, names } = await archiveOf(here).importRootfs(stream(gzip(rootfs)), {
    name: "base:1",
    changes,
    created: "2020-01-01T00:00:00Z",
  });
  expect(names).toEqual(["docker.io/library/base:1"]);
  const image = await here.store.images.open(here.store.images.resolve("base:1"));
  expect(image.descriptor.digest).toBe(target.digest);
  expect(image.config.rootfs.diff_ids).toEqual([digestOf(rootfs)]);
  expect(image.config.config as unknown).toEqual({
    Cmd: ["sh", "-c", "true"],
    Entrypoint: ["/bin/sh", "-c", "run it"],
    Env: ["A=1", "B=two words"],
    ExposedPorts: { "80/tcp": {}, "53/udp": {} },
    Labels: { a: "b" },
    User: "1000:1000",
    Volumes: { "/data": {} },
    WorkingDir: "/work",
    StopSignal: "SIGINT",
    OnBuild: ["RUN true"],
    Healthcheck: { Test: ["CMD-SHELL", "true"], Interval: 5_000_000_000 },
  });
  await here.store.layers.ensure(image);
  const plain = await archiveOf(here).importRootfs(stream(rootfs), {
    name: "base:1",
    changes,
    created: "2020-01-01T00:00:00Z",
  });
  expect(plain.target.digest).toBe(target.digest);
  const refusedChange = archiveOf(here).importRootfs(stream(rootfs), { changes: ["RUN true"] });
  expect(await kindOf(() => refusedChange)).toBe("invalid");
  expect(await kindOf(() => archiveOf(here).importRootfs(stream(Buffer.alloc(5000, "no tar"))))).toBe("corrupt");
});

/** An archive taken apart, changed and put together. */
async function tampered(saved: Uint8Array, change: (files: Map<string, Uint8Array>) => TestEntry[] | undefined) {
  const files = new Map<string, Uint8Array>();
  for await (const { entry, content } of entriesOf(stream(saved))) {
    if (entry.type !== "file") continue;
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    files.set(Buffer.from(entry.name).toString(), Buffer.concat(chunks));
  }
  const more = change(files) ?? [];
  return layerTar([...[...files].map(([name, content]) => ({ name, content })), ...more]);
}

test("archives that lie are refused, nothing is named, nothing is left", async () => {
  await using from = await openTestStore();
  const image = await planted(from);
  const saved = await whole(await archiveOf(from).save(["busybox:1"]));
  const blob = `blobs/sha256/${image.id.slice(7)}`;
  const text = (value: unknown) => new Uint8Array(Buffer.from(JSON.stringify(value)));
  const cases: [string, string, (files: Map<string, Uint8Array>) => TestEntry[] | undefined][] = [
    ["a blob with other bytes", "corrupt", (files) => void files.set(blob, Buffer.from("other"))],
    ["a blob that is missing", "corrupt", (files) => void files.delete(blob)],
    ["a digest that is a path", "invalid", () => [{ name: "blobs/sha256/..%2f..%2fx", content: "x" }]],
    ["a digest of an unknown kind", "invalid", () => [{ name: "blobs/md5/abc", content: "x" }]],
    ["a name that climbs", "invalid", () => [{ name: "../../etc/cron.d/x", content: "x" }]],
    ["an absolute name", "invalid", () => [{ name: "/etc/cron.d/x", content: "x" }]],
    ["a link that climbs", "invalid", () => [{ name: "l", type: "symlink", linkName: "../../etc/passwd" }]],
    [
      "an index that is a manifest",
      "invalid",
      (files) => void files.set("index.json", text({ schemaVersion: 2, manifests: [], layers: [] })),
    ],
    ["an index of 5 MB", "invalid", (files) => void files.set("index.json", Buffer.alloc(5_000_000, " "))],
    [
      "nothing in it",
      "invalid",
      (files) => {
        files.clear();
        return undefined;
      },
    ],
    [
      "a manifest.json of nulls",
      "invalid",
      (files) => {
        files.delete("index.json");
        files.set("manifest.json", text([null]));
        return undefined;
      },
    ],
    [
      "a layer that is not there",
      "invalid",
      (files) => {
        files.delete("index.json");
        files.set("manifest.json", text([{ Config: "c.json", Layers: ["x"], RepoTags: null }]));
        return undefined;
      },
    ],
  ];
  for (const [name, kind, change] of cases) {
    await using to = await openTestStore();
    expect({ name, kind: await kindOf(async () => archiveOf(to).load(stream(await tampered(saved, change)))) }).toEqual(
      { name, kind },
    );
    expect(to.store.images.list()).toEqual([]);
    expect(await to.store.check({ deep: true })).toEqual([]);
    await to.store.collect({ grace: -1000 });
    expect(to.store.usage().blobs.count).toBe(0);
  }
  await using to = await openTestStore();
  expect(await kindOf(() => archiveOf(to).load(stream(saved.slice(0, saved.length >> 1))))).toBe("corrupt");
  expect(to.store.images.list()).toEqual([]);
});

test("a docker-archive of the old kind, with links between its folders, is loaded", async () => {
  const layer = layerTar([{ name: "a", content: "a" }]);
  const config = Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      rootfs: { type: "layers", diff_ids: [digestOf(layer), digestOf(layer)] },
    }),
  );
  const hex = digestOf(config).slice(7);
  const manifest = [
    { Config: `${hex}.json`, RepoTags: ["old:1", "old:2"], Layers: ["one/layer.tar", "two/layer.tar"] },
  ];
  const tar = layerTar([
    { name: "one/", type: "directory" },
    { name: "one/VERSION", content: "1.0" },
    { name: "one/json", content: "{}" },
    { name: "one/layer.tar", content: layer },
    { name: "two/layer.tar", type: "symlink", linkName: "../one/layer.tar" },
    { name: `${hex}.json`, content: config },
    { name: "manifest.json", content: JSON.stringify(manifest) },
    { name: "repositories", content: "{}" },
  ]);
  await using to = await openTestStore();
  const [loaded] = await archiveOf(to).load(stream(tar));
  expect(loaded!.names).toEqual(["docker.io/library/old:1", "docker.io/library/old:2"]);
  const image = await to.store.images.open(to.store.images.resolve("old:2"));
  expect(image.chain.length).toBe(2);
  await to.store.layers.ensure(image);
  expect(await to.store.check({ deep: true })).toEqual([]);
});
