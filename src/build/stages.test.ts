import { expect, test } from "bun:test";
import { failure } from "./testing/failure.ts";
import { layerEntries, openBuildScene } from "./testing/scene.ts";

test("a stage nothing needs is never built, whatever is in it", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const built = await scene.build(`FROM nowhere.example/none AS unused
RUN false
FROM busybox AS first
RUN echo first
FROM busybox AS second
RUN echo second > /s
FROM first
COPY --from=second /s /s
`);
  expect(built.output).toBe("first\n");
  expect(built.steps).toBe(6);
  const stages = built.events.flatMap((event) => (event.type === "step" ? [event.stage] : []));
  expect(new Set(stages)).toEqual(new Set(["first", "second", "stage-3"]));
});

test("--target takes a stage by name or number; an unknown one names the nearest", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const text = "FROM busybox AS Test\nLABEL a=1\nFROM busybox AS last\nLABEL b=1\n";
  const labels = async (target: string) => (await scene.build(text, {}, { target })).config.config?.Labels;
  expect(await labels("test")).toEqual({ a: "1" });
  expect(await labels("1")).toEqual({ b: "1" });
  const error = await failure(labels("tset"));
  expect(error.kind).toBe("not-found");
  expect(error.message).toContain("did you mean test?");
});

test("ARGs: global ones in FROM, inherited by name, given ones first, ENV over all, platform ones by themselves", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const text = `ARG BASE=busybox
ARG SHARED=global
FROM \${BASE}
ARG SHARED
ARG OWN=default
ARG UNSET
ARG TARGETARCH
ENV WINS=env
ARG WINS=arg
RUN echo "$SHARED $OWN \${UNSET-unset} \${TARGETARCH:+arch} $WINS \${BASE-nobase}"
`;
  expect((await scene.build(text)).output).toBe("global default unset arch env nobase\n");
  const given = await scene.build(text, {}, { buildArgs: { SHARED: "given", OWN: "o", UNSET: "u", OTHER: "x" } });
  expect(given.output).toBe("given o u arch env nobase\n");
  expect(given.warnings).toEqual(["no ARG took the build arguments OTHER"]);
});

test("a value given for an ARG is in RUN's environment and nowhere in the image", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const built = await scene.build(
    'FROM busybox\nARG TOKEN\nRUN test -n "$TOKEN"\nRUN echo done > /x\n',
    {},
    {
      buildArgs: { TOKEN: "s3cret-value", HTTP_PROXY: "http://user:s3cret-value@proxy" },
    },
  );
  const manifest = Buffer.from(await scene.store.blobs.read(built.manifest.digest)).toString();
  expect(JSON.stringify(built.config) + manifest).not.toContain("s3cret-value");
  expect(JSON.stringify(built.events)).not.toContain("s3cret-value");
  expect(JSON.stringify(built.config.history)).toContain("ARG TOKEN");
});

test("a proxy is in RUN's environment and no part of the cache key", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const text = 'FROM busybox\nRUN echo "$http_proxy"; echo x > /x\n';
  const first = await scene.build(text, {}, { buildArgs: { http_proxy: "http://one" } });
  expect(first.output).toBe("http://one\n");
  const second = await scene.build(text, {}, { buildArgs: { http_proxy: "http://two" } });
  expect(second.cachedSteps).toBe(1);
  expect(second.manifest).toEqual(first.manifest);
});

test("ONBUILD: what a base asks for runs first in the stage that uses it, once", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const base = await scene.build(
    "FROM busybox\nONBUILD COPY a.txt /app/\nONBUILD RUN cat /app/a.txt\n",
    {},
    {
      names: ["docker.io/library/base:latest"],
    },
  );
  expect(base.config.config?.OnBuild).toEqual(["COPY a.txt /app/", "RUN cat /app/a.txt"]);
  const built = await scene.build("FROM base\nRUN echo own\n", { "a.txt": "triggered\n" });
  expect(built.output).toBe("triggered\nown\n");
  expect(built.config.config?.OnBuild).toBeUndefined();
});

test("FROM scratch, and a stage from another, keep what they should", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const built = await scene.build(
    `FROM scratch AS files
COPY a /a
ENV X=1
FROM files
COPY b /b
ENTRYPOINT ["/a"]
`,
    { a: "a", b: "b" },
  );
  expect(built.layers).toHaveLength(2);
  expect(built.config).toMatchObject({
    created: "1980-01-02T00:00:00Z",
    config: { Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "X=1"], Entrypoint: ["/a"] },
  });
  expect([...(await layerEntries(scene.store, built.layers[1]!)).keys()]).toEqual(["b"]);
});

test("a base that is nowhere is not found, at the place of its FROM", async () => {
  await using scene = await openBuildScene();
  const error = await failure(scene.build("# comment\nFROM   nowhere.example/none:1\n"));
  expect(error.kind).toBe("not-found");
  expect(error.message).toContain("line 2, column 8");
});
