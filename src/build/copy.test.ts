import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { layerTar, type TestEntry } from "#images/store/testing/test-store.ts";
import { failure } from "./testing/failure.ts";
import { type BuildScene, type Built, type Files, layerEntries, openBuildScene } from "./testing/scene.ts";

const context: Files = {
  "a.txt": "a",
  "b.txt": "b",
  "c.md": "c",
  "run.sh": "#!/bin/sh\n",
  "dir/one": "1",
  "dir/sub/two": "2",
  "dir/link": "-> one",
  "with space": "space",
};

/** Entries of the last layer; folders end in "/". */
async function last(scene: BuildScene, built: Built) {
  return layerEntries(scene.store, built.layers.at(-1)!);
}

// COPY's words, then the names and what is in them, as dockerd has it.
const table: readonly (readonly [string, readonly string[]])[] = [
  ["COPY a.txt /x", ["x=a"]],
  ["COPY a.txt /x/", ["x/", "x/a.txt=a"]],
  ["COPY a.txt b.txt /x/", ["x/", "x/a.txt=a", "x/b.txt=b"]],
  ["COPY *.txt /x/", ["x/", "x/a.txt=a", "x/b.txt=b"]],
  ["COPY ?.[tm]* /x/", ["x/", "x/a.txt=a", "x/b.txt=b", "x/c.md=c"]],
  ["COPY dir /x", ["x/", "x/link=-> one", "x/one=1", "x/sub/", "x/sub/two=2"]],
  ["COPY dir/ /tmp/", ["tmp/", "tmp/link=-> one", "tmp/one=1", "tmp/sub/", "tmp/sub/two=2"]],
  ["COPY dir/sub /deep/er/est", ["deep/", "deep/er/", "deep/er/est/", "deep/er/est/two=2"]],
  ["COPY dir/*/two /x", ["x=2"]],
  ["COPY dir/link /x", ["x=1"]],
  ["COPY ./dir/../a.txt /x", ["x=a"]],
  ["COPY ../../../a.txt /x", ["x=a"]],
  ['COPY ["with space", "/x y"]', ["x y=space"]],
  ["COPY a.txt /tmp", ["tmp/", "tmp/a.txt=a"]],
  [
    "COPY --exclude=*.md --exclude=sub . /x/",
    [
      "x/",
      "x/a.txt=a",
      "x/b.txt=b",
      "x/dir/",
      "x/dir/link=-> one",
      "x/dir/one=1",
      "x/dir/sub/",
      "x/dir/sub/two=2",
      "x/run.sh=#!/bin/sh\n",
      "x/with space=space",
    ],
  ],
  ["COPY <<one <<two /x/\nfirst $HOME\none\nsecond\ntwo", ["x/", "x/one=first \n", "x/two=second\n"]],
  ['COPY <<"E" /x\n$as it is\nE', ["x=$as it is\n"]],
];

for (const [text, wanted] of table) {
  test(`${text.split("\n")[0]} writes ${wanted.length} names`, async () => {
    await using scene = await openBuildScene();
    await scene.plantBusybox();
    const built = await scene.build(`FROM busybox\n${text}\n`, context);
    const entries = await last(scene, built);
    expect(
      [...entries].map(([name, { type, text: held }]) => (type === "directory" ? name : `${name}=${held}`)),
    ).toEqual([...wanted]);
    const time = built.events.length > 0 ? 1_500_000_000 : 0;
    expect(new Set([...entries.values()].map((entry) => entry.time))).toEqual(new Set([time]));
  });
}

test("relative destinations start at WORKDIR, and . and .. mean folders", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const built = await scene.build("FROM busybox\nWORKDIR /w/v\nCOPY a.txt .\nCOPY b.txt ..\nCOPY c.md d\n", context);
  const names = await Promise.all(
    built.layers.slice(2).map(async (layer) => [...(await layerEntries(scene.store, layer)).keys()]),
  );
  expect(names).toEqual([
    ["w/", "w/v/", "w/v/a.txt"],
    ["w/", "w/b.txt"],
    ["w/", "w/v/", "w/v/d"],
  ]);
});

test("only the x bit of a file's mode counts, unless --chmod, --chown or keepMode say more", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const folder = scene.context({ plain: "p", "script.sh": "#!/bin/sh\n", "d/": "" });
  chmodSync(join(folder, "plain"), 0o600);
  chmodSync(join(folder, "script.sh"), 0o711);
  chmodSync(join(folder, "d"), 0o2770);
  const modes = async (flags: string, keepMode = false) => {
    const built = await scene.build(`FROM busybox\nCOPY ${flags} . /x/\n`, {}, { context: folder, keepMode });
    return [...(await last(scene, built))].map(([name, { mode, owner }]) => `${name} ${mode} ${owner}`);
  };
  expect(await modes("")).toEqual(["x/ 755 0:0", "x/d/ 755 0:0", "x/plain 644 0:0", "x/script.sh 755 0:0"]);
  expect(await modes("--chmod=0640")).toEqual(["x/ 640 0:0", "x/d/ 640 0:0", "x/plain 640 0:0", "x/script.sh 640 0:0"]);
  expect((await modes("--chown=ada")).slice(1, 3)).toEqual(["x/d/ 755 1000:1000", "x/plain 644 1000:1000"]);
  expect((await modes("--chown=ada:lab"))[2]).toBe("x/plain 644 1000:2000");
  expect((await modes("--chown=55"))[2]).toBe("x/plain 644 55:55");
  expect((await modes("", true)).slice(1)).toEqual(["x/d/ 2770 0:0", "x/plain 600 0:0", "x/script.sh 711 0:0"]);
  expect((await failure(modes("--chown=nobody-here"))).message).toContain("/etc/passwd has no such user");
  expect((await failure(modes("--chmod=u+x"))).kind).toBe("unsupported");
  expect((await failure(modes("--chmod=999"))).kind).toBe("invalid");
});

test(".dockerignore leaves out what it names, with exceptions, and makes a named source not found", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const files = { ...context, ".dockerignore": "*.md\ndir\n!dir/sub\nb.txt\n" };
  const built = await scene.build("FROM busybox\nCOPY . /x/\n", files);
  expect(
    [...(await last(scene, built)).keys()].filter((name) => name.startsWith("x/dir") || /\.(md|txt)$/.test(name)),
  ).toEqual(["x/a.txt", "x/dir/", "x/dir/sub/", "x/dir/sub/two"]);
  const error = await failure(scene.build("FROM busybox\nRUN true\nCOPY b.txt /x\n", files));
  expect(error.kind).toBe("not-found");
  expect(error.message).toContain('line 3, column 1: "b.txt": nothing in the source matches it');
  const own = await scene.build("FROM busybox\nCOPY b.txt /x\n", files, { ignore: Buffer.from("a.txt\n") });
  expect(own.layers).toHaveLength(2);
});

test("links of the context and of the image lead nowhere but inside", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const secret = join(scene.folder, "host-secret");
  writeFileSync(secret, "host");
  const folder = scene.context({ a: "a" });
  symlinkSync(secret, join(folder, "absolute"));
  symlinkSync(`../../../../../..${secret}`, join(folder, "relative"));
  symlinkSync("/", join(folder, "root"));
  mkdirSync(join(folder, "out"));
  symlinkSync(scene.folder, join(folder, "out/host"));
  for (const source of ["absolute", "relative", "root/etc/hostname", "out/host/host-secret", "../host-secret"]) {
    const error = await failure(scene.build(`FROM busybox\nCOPY ${source} /x\n`, {}, { context: folder }));
    expect(error.kind).toBe("not-found");
  }
  // Inside a folder links stay links.
  const built = await scene.build("FROM busybox\nCOPY out /x\n", {}, { context: folder });
  expect((await last(scene, built)).get("x/host")?.text).toBe(`-> ${scene.folder}`);
  // The image's own links: resolved as if the image's root were "/".
  const through = await scene.build(
    `FROM busybox\nCOPY out /x\nRUN ln -s ${scene.folder} /way\nCOPY a /way/host-secret\n`,
    {},
    { context: folder },
  );
  expect(readFileSync(secret, "utf8")).toBe("host");
  expect([...(await last(scene, through)).keys()].at(-1)).toBe(`${scene.folder.slice(1)}/host-secret`);
}, 20_000);

test("a file in the way of a folder, or a folder in the way of a file, is said", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  for (const text of ["COPY a.txt /bin/busybox/x", "COPY dir /etc/passwd", "COPY a.txt /f\nCOPY dir /f"]) {
    const error = await failure(scene.build(`FROM busybox\n${text}\n`, context));
    expect(error.kind).toBe("conflict");
  }
  const error = await failure(scene.build("FROM busybox\nCOPY a.txt b.txt /x\n", context));
  expect(error.message).toContain("several sources need a folder to go to");
});

test("COPY --from takes from a stage and from an image, with owners and modes as they are", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const built = await scene.build(`FROM busybox AS make
RUN mkdir -p /out && echo x > /out/x && chown 1000:2000 /out/x && chmod 4750 /out/x
FROM scratch
COPY --from=make /out /
COPY --from=busybox /etc/passwd /from-image
COPY --from=0 /out/x /by-number
`);
  const first = await layerEntries(scene.store, built.layers[0]!);
  expect(first.get("x")).toMatchObject({ mode: "4750", owner: "1000:2000", text: "x\n", time: 315_619_200 });
  expect((await layerEntries(scene.store, built.layers[1]!)).get("from-image")?.text).toContain("ada:");
  expect((await last(scene, built)).get("by-number")?.mode).toBe("4750");
});

test("ADD unpacks a local archive, whatever its name; COPY and --unpack=false do not", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const folder = scene.context({ "t/inside": "i", "t/d/deep": "#!/x" });
  Bun.spawnSync(["tar", "-C", join(folder, "t"), "--owner=7", "--group=8", "-czf", join(folder, "data.bin"), "."]);
  const names = async (text: string) => [
    ...(await last(scene, await scene.build(`FROM busybox\n${text}\n`, {}, { context: folder }))),
  ];
  const unpacked = await names("ADD data.bin /x");
  expect(unpacked.map(([name]) => name)).toEqual(["x/", "x/d/", "x/d/deep", "x/inside"]);
  expect(unpacked.at(-1)![1]).toMatchObject({ owner: "7:8", text: "i", time: 1_500_000_000 });
  expect((await names("COPY data.bin /x")).map(([name]) => name)).toEqual(["x"]);
  expect((await names("ADD --unpack=false data.bin /x")).map(([name]) => name)).toEqual(["x"]);
  writeFileSync(join(folder, "x.tar.xz"), Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 1, 2, 3]));
  expect((await failure(names("ADD x.tar.xz /x"))).message).toContain("xz");
});

test("an archive whose names and links lead out writes inside the image or is refused", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const victim = join(scene.folder, "victim");
  mkdirSync(victim);
  const add = (...entries: TestEntry[]) =>
    scene.build("FROM busybox\nADD evil.tar /x/\n", { "evil.tar": layerTar(entries) });
  const link = (name: string, linkName: string): TestEntry => ({ name, type: "symlink", linkName });
  const file = (name: string): TestEntry => ({ name, content: "evil" });
  const dots = await add(file(`${"../".repeat(12)}${victim.slice(1)}/dots`), file(`${victim}/rooted`));
  expect([...(await last(scene, dots)).keys()].filter((name) => /dots|rooted/.test(name))).toEqual([
    `x${victim}/dots`,
    `x${victim}/rooted`,
  ]);
  const linked = await add(link("way", "/"), file("way/inside"));
  expect([...(await last(scene, linked)).keys()]).toEqual(["inside", "x/", "x/way"]);
  for (const target of [victim, `${"../".repeat(12)}${victim.slice(1)}`]) {
    const missing = await add(link("way", target), file("way/f"));
    expect([...(await last(scene, missing)).keys()]).toContain(`${victim.slice(1)}/f`);
  }
  const circle = await failure(add(link("a", "/x/b"), link("b", "/x/a"), file("a/f")));
  expect(circle.kind).toBe("denied");
  const hard = await failure(add({ name: "h", type: "hardlink", linkName: "/etc/shadow" }));
  expect(hard.kind).toBe("invalid");
  expect(readdirNames(victim)).toEqual([]);
}, 20_000);

test("ADD downloads, checks what --checksum wants, and hides passwords and queries from the history", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  scene.web.set("https://ada:secret@example.org/file.txt?token=hidden", "content");
  const digest = `sha256:${new Bun.CryptoHasher("sha256").update("content").digest("hex")}`;
  const url = "https://ada:secret@example.org/file.txt?token=hidden";
  const built = await scene.build(`FROM busybox\nADD --checksum=${digest} ${url} /x/\n`);
  expect((await last(scene, built)).get("x/file.txt")).toMatchObject({ text: "content", mode: "600" });
  const said = JSON.stringify([built.config, built.warnings]);
  expect(said).not.toContain("secret");
  expect(said).not.toContain("hidden");
  const wrong = await failure(scene.build(`FROM busybox\nADD --checksum=sha256:${"0".repeat(64)} ${url} /x\n`));
  expect(wrong.message).toContain("--checksum wants");
  expect(wrong.message).not.toContain("hidden");
  const git = await failure(scene.build("FROM busybox\nADD https://example.org/x.git#main /x\n"));
  expect(git.kind).toBe("unsupported");
});

function readdirNames(folder: string): string[] {
  return Bun.spawnSync(["ls", "-A", folder])
    .stdout.toString()
    .split("\n")
    .filter((name) => name !== "");
}
