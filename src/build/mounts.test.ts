import { expect, test } from "bun:test";
import { failure } from "./testing/failure.ts";
import { layerEntries, openBuildScene } from "./testing/scene.ts";

test("a cache mount keeps its files from build to build, in no layer and in no key", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const script = (word: string) =>
    `FROM busybox\nRUN --mount=type=cache,target=/var/c echo ${word} >> /var/c/log; cat /var/c/log; : > /made\n`;
  expect((await scene.build(script("one"))).output).toBe("one\n");
  const again = await scene.build(script("two"));
  expect(again.output).toBe("one\ntwo\n");
  expect([...(await layerEntries(scene.store, again.layers.at(-1)!)).keys()]).toEqual(["made"]);
  expect((await scene.build(script("two"))).cachedSteps).toBe(1);
  await scene.builder.pruneCache();
  expect((await scene.build(script("three"))).output).toBe("three\n");
});

test("a secret is a file or a variable while its RUN works, and in no layer, key or history", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const script =
    "FROM busybox\nRUN --mount=type=secret,id=s --mount=type=secret,id=t,env=T,target=/deep/er/t,mode=0444 cat /run/secrets/s; echo $T; ls -l /deep/er/t | cut -c1-10; : > /made\n";
  const secrets = (value: string) => async (id: string) => Buffer.from(`${value}-${id}\n`);
  const built = await scene.build(script, {}, { secrets: secrets("first") });
  expect(built.output).toBe("first-s\nfirst-t\n-r--r--r--\n");
  expect([...(await layerEntries(scene.store, built.layers.at(-1)!)).keys()]).toEqual(["made"]);
  expect(JSON.stringify(built.config)).not.toContain("first");
  expect((await scene.build(script, {}, { secrets: secrets("second") })).cachedSteps).toBe(1);
});

test("a secret that is not given is left out, unless it is required", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  // Required first: what is missing is no part of the key.
  const script = (more: string) => `FROM busybox\nRUN --mount=type=secret,id=gone${more} ls /run/secrets || true\n`;
  const error = await failure(scene.build(script(",required")));
  expect(error.kind).toBe("not-found");
  expect(error.message).toContain("line 2, column 5: the secret gone was not given");
  expect((await scene.build(script(""))).output).toContain("No such file");
});

test("a bind of the context shows what COPY would take, and what a RUN writes there is nobody's", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const files = { "src/a": "A", "src/b.md": "B", "tool[1].sh": "#!/bin/sh\necho tool\n", ".dockerignore": "**/*.md\n" };
  const script =
    "FROM busybox\nWORKDIR /w\nRUN --mount=target=src,source=src --mount=type=bind,source=tool[1].sh,target=/bin/tool ls src; tool; touch src/x 2>&1; : > /made\nRUN --mount=target=.,rw echo new > src/a; cat src/a\n";
  const built = await scene.build(script, files);
  expect(built.output).toBe("a\ntool\ntouch: src/x: Read-only file system\nnew\n");
  expect([...(await layerEntries(scene.store, built.layers.at(-1)!)).keys()]).toEqual(["made"]);
  expect((await scene.build(script, { ...files, "src/b.md": "changed" })).cachedSteps).toBe(3);
  expect((await scene.build(script, { ...files, "src/a": "changed" })).cachedSteps).toBe(1);
});

test("a bind of a stage shows its files; links of theirs do not lead out", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const stages =
    "FROM busybox AS from\nRUN mkdir /d; echo made > /d/f; ln -s /etc/hostname /d/out; ln -s ../d/f /d/in\nFROM busybox\n";
  const mount = (source: string) => `${stages}RUN --mount=type=bind,from=from,source=${source},target=/m cat /m/f /m\n`;
  expect((await scene.build(mount("/d").replace("cat /m/f /m", "cat /m/f; ls /m"))).output).toBe("made\nf\nin\nout\n");
  expect((await scene.build(mount("/d/in").replace("/m/f ", ""))).output).toBe("made\n");
  expect((await failure(scene.build(mount("/d/out")))).message).toContain("there is no /d/out to mount");
  expect((await failure(scene.build(mount("/nope")))).message).toContain("line 4, column 5: there is no /nope");
});

test("a tmpfs is empty, as big as was said and gone afterwards", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const built = await scene.build(
    "FROM busybox\nRUN --mount=type=tmpfs,target=/t/u,size=1m df -k /t/u | tail -1 | tr -s ' ' | cut -d' ' -f2; echo 1 > /t/u/f\n",
  );
  expect(built.output).toBe("1024\n");
  expect(built.layers).toHaveLength(1);
});

test("mounts over the root, wrong words and what is not executed are refused with their place", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  for (const [mount, because] of [
    ["type=tmpfs,target=/", "nothing can be mounted over the root itself"],
    ["type=cache,target=/c,mode=9", 'mode is "9", not an octal number'],
    ["type=tmpfs,target=/c,size=lots", 'size is "lots", not a number of bytes'],
    ["type=secret,uid=x,id=a", 'uid is "x", not a number'],
    ["type=bind,source=gone,target=/c", "nothing in the source matches it"],
    ["type=cache,target=/c,from=busybox", "a cache mount's from is not executed"],
    ["type=bind,from=busybox,target=/c,rw", "a writable bind of a stage or image is not executed"],
  ] as const) {
    const error = await failure(scene.build(`FROM busybox\nRUN --mount=${mount} true\n`));
    expect(error.message).toContain("line 2, column 5: ");
    expect(error.message).toContain(because);
  }
});
