import { expect, test } from "bun:test";
import { chmodSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { layerEntries, openBuildScene } from "./testing/scene.ts";

const text = `FROM busybox AS make
RUN mkdir /out && for n in 3 1 2; do date +%N > /out/$n; echo same > /out/$n; done && ln /out/1 /out/hard && ln -s 1 /out/soft
FROM busybox
WORKDIR /srv
COPY --chown=ada . .
COPY --from=make /out /out
RUN echo $(ls /out) > list && rm /etc/group && touch -d @1400000000 old && mkdir new
ENV Z=1
CMD ["list"]
`;
const files = { "b/two": "2", "a.sh": "#!/bin/sh\n", link: "-> a.sh" };

test("the same digest cold, warm, without cache, after the cache was dropped, and in another store", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const cold = await scene.build(text, files);
  const warm = await scene.build(text, files);
  expect(warm.cachedSteps).toBe(5);
  const noCache = await scene.build(text, files, { noCache: true });
  expect(noCache.cachedSteps).toBe(0);
  expect(await scene.builder.pruneCache()).toBeGreaterThan(4);
  const dropped = await scene.build(text, files);
  expect(dropped.cachedSteps).toBe(0);
  await using other = await openBuildScene();
  await other.plantBusybox();
  const elsewhere = await other.build(text, files);
  const digests = [cold, warm, noCache, dropped, elsewhere].map((built) => built.manifest.digest);
  expect(new Set(digests).size).toBe(1);
  expect(await scene.store.check({ deep: true })).toEqual([]);
}, 20_000);

test("times, umask and order of the checkout are no inputs; content is", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const one = scene.context(files);
  const two = scene.context({ link: "-> a.sh", "a.sh": "#!/bin/sh\n", "b/two": "2" });
  utimesSync(join(two, "b/two"), 1, 1);
  chmodSync(join(two, "b/two"), 0o600);
  chmodSync(join(two, "b"), 0o700);
  const copy = "FROM busybox\nCOPY . /x\n";
  const first = await scene.build(copy, {}, { context: one });
  const second = await scene.build(copy, {}, { context: two, noCache: true });
  expect(second.manifest.digest).toBe(first.manifest.digest);
  const changed = await scene.build(copy, { ...files, "b/two": "3" });
  expect(changed.cachedSteps).toBe(0);
  expect(changed.manifest.digest).not.toBe(first.manifest.digest);
});

test("SOURCE_DATE_EPOCH is the time of everything newer; older times stay; the base is never rewritten", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const asked = await scene.build(
    "FROM busybox\nCOPY a /a\nRUN touch /new && touch -d @1400000000 /old\n",
    { a: "a" },
    {
      buildArgs: { SOURCE_DATE_EPOCH: "1600000000" },
    },
  );
  expect(asked.config.created).toBe("2020-09-13T12:26:40Z");
  const times = await Promise.all(
    asked.layers.map(async (layer) =>
      [...(await layerEntries(scene.store, layer))].map(([name, { time }]) => `${name} ${time}`),
    ),
  );
  expect(times.slice(1)).toEqual([["a 1600000000"], ["new 1600000000", "old 1400000000"]]);
  const plain = await scene.build("FROM busybox\nCOPY a /a\n", { a: "a" });
  expect(plain.layers[0]).toEqual(asked.layers[0]!);
  expect(plain.config.created).toBe("2017-07-14T02:40:00Z");
});

test("a changed line is built again with all after it, what stands before is not", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const lines = (middle: string) => `FROM busybox\nRUN echo 1 > /1\nRUN ${middle} > /2\nRUN echo 3 > /3\n`;
  await scene.build(lines("echo 2"));
  expect((await scene.build(lines("echo 2"))).cachedSteps).toBe(3);
  const changed = await scene.build(lines("echo two"));
  expect(changed.events.flatMap((event) => (event.type === "cached" ? [event.step] : []))).toEqual([2]);
});

test("a cached step whose layer is gone is made again, and the store's collecting leaves what is cached", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const script = "FROM busybox\nRUN echo 1 > /1\nRUN echo 2 > /2\n";
  const built = await scene.build(script);
  scene.store.images.remove(built.record.id);
  await scene.store.collect({ grace: -1000 });
  const again = await scene.build(script);
  expect(again.cachedSteps).toBe(2);
  scene.store.images.remove(again.record.id);
  await scene.builder.pruneCache();
  await scene.store.collect({ grace: -1000 });
  const anew = await scene.build(script);
  expect(anew.cachedSteps).toBe(0);
  expect(anew.manifest.digest).toBe(built.manifest.digest);
  expect(await scene.store.check({ deep: true })).toEqual([]);
});

test("two builds of the same at once agree", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const built = await Promise.all([1, 2, 3].map(() => scene.build(text, files, { noCache: true })));
  expect(new Set(built.map((one) => one.manifest.digest)).size).toBe(1);
  expect(scene.store.snapshots.list()).toEqual([]);
}, 20_000);
