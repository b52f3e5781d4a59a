import { expect, test } from "bun:test";
import { lstatSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { OverlayMountData } from "./contract.ts";
import { list as listTarNames } from "./testing/tar-list.ts";
import { layerTar, openTestStore, plantLayer, scratch, type TestEntry, type TestStore } from "./testing/test-store.ts";

function sh(script: string, cwd: string): string {
  const done = Bun.spawnSync(["sh", "-ec", script], { cwd, stdout: "pipe", stderr: "pipe" });
  if (done.exitCode !== 0) throw new Error(`${script}: ${done.stderr}`);
  return done.stdout.toString();
}

/** Mounts what the store says, as the engine does. */
function mounted(data: OverlayMountData): Disposable & { path: string } {
  const folder = scratch();
  const path = join(folder.path, "merged");
  mkdirSync(path);
  sh(`mount -t overlay overlay -o ${data.options} ${path}`, data.cwd);
  return {
    path,
    [Symbol.dispose]() {
      sh(`umount ${path}`, "/");
      folder[Symbol.dispose]();
    },
  };
}

/** Everything about a tree that a layer carries. */
function describeTree(path: string): string {
  return sh(
    `find . -printf '%p %y %m %U:%G %n %l %s %T@\\n' | grep -v '^\\. ' | sed 's/ d \\(.*\\) [0-9]* [^ ]* \\([^ ]*\\)$/ d \\1 \\2/' | sort`,
    path,
  );
}

const base: TestEntry[] = [
  { name: "etc/", type: "directory" },
  { name: "etc/same", content: "same" },
  { name: "etc/gone", content: "gone" },
  { name: "etc/changed", content: "old" },
  { name: "whole/", type: "directory" },
  { name: "whole/a", content: "a" },
  { name: "whole/b", content: "b" },
  { name: "untouched/", type: "directory" },
  { name: "untouched/deep/", type: "directory" },
  { name: "untouched/deep/x", content: "x" },
  { name: "tmp/", type: "directory", mode: 0o1777 },
];

async function onBase(here: TestStore, key: string) {
  const layer = await plantLayer(here.store, layerTar(base));
  const record = await here.store.layers.unpack(layer.descriptor, layer.diffId, undefined);
  return here.store.snapshots.prepare(key, record.chainId);
}

const work = `
  echo new > etc/changed; rm etc/gone; rm -r whole; mkdir whole; echo c > whole/c
  mkdir -p added/deep; echo x > added/file; ln added/file added/hard; ln -s ../etc/same added/link
  mknod added/null c 1 3; mkfifo added/pipe; truncate -s 3M added/sparse; printf end >> added/sparse
  printf odd > "$(printf 'odd-\\377')"; chown 70000:3000000 added/deep
  chmod 600 etc/same; chmod 644 etc/same; touch -d @1000000000 etc/same
  touch -d @2000000000 added/file
`;

test("a snapshot becomes a layer that unpacks to the same tree", async () => {
  await using here = await openTestStore();
  const { snapshots, layers } = here.store;
  const snapshot = await onBase(here, "build");
  {
    using merged = mounted(snapshots.overlayMountData(snapshot));
    sh(work, merged.path);
  }
  const written = await snapshots.write(snapshot, { layerTime: 1_500_000_000 });
  const names = await listTarNames(here.store.blobs.path(written.digest));
  expect(names).toEqual([
    "added/",
    "added/deep/",
    "added/file",
    "added/hard",
    "added/link",
    "added/null",
    "added/pipe",
    "added/sparse",
    "etc/",
    "etc/changed",
    "etc/.wh.gone",
    "odd-\xff",
    "whole/",
    "whole/.wh..wh..opq",
    "whole/c",
  ]);
  const original = layers.list()[0]!;
  const again = await layers.unpack(
    { mediaType: written.mediaType, digest: written.digest, size: written.size },
    written.diffId,
    original.chainId,
  );
  using merged = mounted(snapshots.readOnlyMountData(again.chainId));
  expect(readFileSync(join(merged.path, "etc/changed"), "utf8")).toBe("new\n");
  expect(lstatSync(join(merged.path, "added/file")).mtimeMs).toBe(1_500_000_000_000);
  expect(lstatSync(join(merged.path, "added/hard")).nlink).toBe(2);
  expect(sh("ls whole; ls etc", merged.path)).toBe("c\nchanged\nsame\n");
  using first = mounted(snapshots.overlayMountData(snapshot));
  const clamp = (tree: string) =>
    tree.replaceAll(/ \d+\.\d+$/gm, (time) => (Number(time) > 1.5e9 ? " 1500000000.0000000000" : time));
  expect(clamp(describeTree(first.path))).toBe(clamp(describeTree(merged.path)));
});

test("the same work gives the same bytes, whatever the order and the time it was done", async () => {
  await using here = await openTestStore();
  const { snapshots } = here.store;
  const digests: string[] = [];
  for (const script of [
    "echo b > b; echo a > a; mkdir d; ln a d/link",
    "mkdir d; echo a > d/link; ln d/link a; echo b > b; touch x; rm x",
  ]) {
    const snapshot = await onBase(here, `run-${digests.length}`);
    {
      using merged = mounted(snapshots.overlayMountData(snapshot));
      sh(script, merged.path);
    }
    digests.push((await snapshots.write(snapshot, { layerTime: 1_500_000_000 })).digest);
  }
  expect(digests[0]).toBe(digests[1]!);
});

test("exact times, left-out stubs and mapped ids follow the options; an unchanged upper is an empty layer", async () => {
  await using here = await openTestStore();
  const { snapshots } = here.store;
  const idle = await onBase(here, "idle");
  {
    using merged = mounted(snapshots.overlayMountData(idle));
    sh("touch tmp/x; rm tmp/x; chmod 700 etc; chmod 755 etc", merged.path);
  }
  expect((await snapshots.write(idle, { layerTime: 5 })).entries).toBe(0);
  const snapshot = await onBase(here, "copy");
  {
    using merged = mounted(snapshots.overlayMountData(snapshot));
    sh(
      "mkdir app stubs; echo x > app/x; touch -d @7 app/x app; echo n > stubs/resolv.conf; chown -R 100000:100000 app",
      merged.path,
    );
  }
  const ids = [
    { host: 100_000, container: 0, count: 65_536 },
    { host: 0, container: 0, count: 1 },
  ];
  const written = await snapshots.write(snapshot, {
    layerTime: 50,
    exact: ["/app"],
    leaveOut: ["/stubs/resolv.conf"],
    uids: ids,
    gids: ids,
    compression: "none",
  });
  const done = Bun.spawnSync(["tar", "--utc", "--numeric-owner", "-tvf", here.store.blobs.path(written.digest)], {
    stdout: "pipe",
  });
  expect(done.stdout.toString().replaceAll(/ +/g, " ").trim().split("\n")).toEqual([
    "drwxr-xr-x 0/0 0 1970-01-01 00:00 app/",
    "-rw-r--r-- 0/0 2 1970-01-01 00:00 app/x",
  ]);
  const narrow = [{ host: 100_000, container: 0, count: 1 }];
  expect(snapshots.write(snapshot, { layerTime: 50, uids: narrow, gids: ids })).rejects.toThrow(
    /outside the container's ids|Cannot write/,
  );
});

test("a committed upper is the layer itself; the key is free again", async () => {
  await using here = await openTestStore();
  const { snapshots, layers } = here.store;
  const snapshot = await onBase(here, "step");
  {
    using merged = mounted(snapshots.overlayMountData(snapshot));
    sh("echo x > x", merged.path);
  }
  const written = await snapshots.write(snapshot, { layerTime: 5 });
  const layer = snapshots.commit(snapshot, written);
  expect(layer.id).toBe(snapshot.id);
  expect(snapshots.get("step")).toBeUndefined();
  const next = snapshots.prepare("step", layer.chainId);
  expect(next.lowers.length).toBe(2);
  expect(layers.get(layer.chainId)!.blob).toBe(written.digest);
  expect(await snapshots.usage("step")).toEqual({ bytes: 0, files: 0 });
  const same = snapshots.prepare("same", snapshot.parent);
  expect(snapshots.commit(same, written)).toEqual(layer);
  expect(() => snapshots.prepare("step", undefined)).toThrow(/name is taken/);
  expect(await here.store.check({ deep: true })).toEqual([]);
});

test("120 lower layers fit one mount", async () => {
  await using here = await openTestStore();
  const { snapshots, layers } = here.store;
  let parent: ReturnType<typeof layers.list>[number] | undefined;
  for (let i = 0; i < 120; i++) {
    const layer = await plantLayer(here.store, layerTar([{ name: `f${i}`, content: `${i}` }]));
    parent = await layers.unpack(layer.descriptor, layer.diffId, parent?.chainId);
  }
  using merged = mounted(snapshots.overlayMountData(snapshots.prepare("deep", parent!.chainId)));
  expect(sh("ls | wc -l", merged.path).trim()).toBe("120");
});
