import { expect, test } from "bun:test";
import { failure } from "./testing/failure.ts";
import { openBuildScene } from "./testing/scene.ts";

test("every instruction of the config, as Docker writes it", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox({ Labels: { base: "1", "": "" } });
  const built = await scene.build(
    `FROM busybox
MAINTAINER Jane Doe
ARG V=2
ENV A=1 B="two words" C=$V
ENV D=$A$B A=changed
LABEL z=1 version=$V "quoted key"="a b"
WORKDIR sub
WORKDIR ../other/$V
USER ada:lab
EXPOSE 80 443/TCP 8000-8002/udp $V
VOLUME /data $A
VOLUME ["/with space"]
STOPSIGNAL SIGQUIT
SHELL ["/bin/sh", "-ec"]
HEALTHCHECK --interval=1m --retries=2 CMD test -f /ok
ENTRYPOINT ["/bin/entry", "$A"]
CMD run $A
`,
    {},
    { labels: { given: "yes" } },
  );
  expect(built.config).toMatchObject({ author: "Jane Doe", created: "2017-07-14T02:40:00Z" });
  expect(built.config.config).toEqual({
    User: "ada:lab",
    ExposedPorts: { "2/tcp": {}, "443/tcp": {}, "80/tcp": {}, "8000/udp": {}, "8001/udp": {}, "8002/udp": {} },
    Env: ["PATH=/bin", "A=changed", "B=two words", "C=2", "D=1two words"],
    Entrypoint: ["/bin/entry", "$A"],
    Cmd: ["/bin/sh", "-ec", "run $A"],
    Volumes: { "/data": {}, "/with space": {}, changed: {} },
    WorkingDir: "/other/2",
    Labels: { "": "", base: "1", given: "yes", "quoted key": "a b", version: "2", z: "1" },
    StopSignal: "SIGQUIT",
    Healthcheck: { Test: ["CMD-SHELL", "test -f /ok"], Interval: 60_000_000_000, Retries: 2 },
    Shell: ["/bin/sh", "-ec"],
  });
  const history = built.config.history?.slice(1).map((entry) => entry.created_by);
  expect(history?.[0]).toBe("MAINTAINER Jane Doe");
  expect(new Set(built.config.history?.map((entry) => entry.created))).toEqual(new Set(["2017-07-14T02:40:00Z"]));
});

test("ENTRYPOINT forgets the base's CMD, not one of this file", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  expect((await scene.build('FROM busybox\nENTRYPOINT ["/e"]\n')).config.config?.Cmd).toBeUndefined();
  const kept = await scene.build('FROM busybox\nCMD ["c"]\nENTRYPOINT ["/e"]\n');
  expect(kept.config.config?.Cmd).toEqual(["c"]);
});

for (const [text, because] of [
  ["EXPOSE 70000", '"70000" is no port'],
  ["EXPOSE http", '"http" is no port'],
  ["STOPSIGNAL 99", '"99" is no signal'],
  ["STOPSIGNAL not-one", '"not-one" is no signal'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the Dockerfile
  ["ENV ${EMPTY}=x", "the name is empty"],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the Dockerfile
  ["USER ${NAME:?is needed}", "NAME is not set: is needed"],
  ["LABEL a='open", "a single quote is not closed"],
] as const) {
  test(`${text} is refused: ${because}`, async () => {
    await using scene = await openBuildScene();
    await scene.plantBusybox();
    const error = await failure(scene.build(`FROM busybox\n${text}\n`));
    expect(error.kind).toBe("invalid");
    expect(error.message).toContain(because);
    expect(error.parts.details).toMatchObject({ line: 2 });
  });
}
