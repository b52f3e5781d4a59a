import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { readMountTable } from "#base/system/mounts/table.ts";
import { failure } from "./testing/failure.ts";
import { layerEntries, openBuildScene } from "./testing/scene.ts";

test("a RUN sees variables, working folder and what was copied before it", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const built = await scene.build(
    `FROM busybox
ARG GREETING=hello
ENV NAME="the world"
WORKDIR /srv/app
COPY a.txt sub/ ./
RUN echo "$GREETING $NAME" > greeting && cat a.txt b.txt greeting && pwd && id -u
`,
    { "a.txt": "from a\n", "sub/b.txt": "from b\n" },
  );
  expect(built.output).toBe("from a\nfrom b\nhello the world\n/srv/app\n0\n");
  expect(built.layers).toHaveLength(4);
});

test("heredocs: a script of the shell, one with its own program, one read by a command", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const built = await scene.build(`FROM busybox
RUN <<EOF
word=script
echo $word
EOF
RUN <<EOF
#!/bin/sh
echo "$0"
EOF
RUN cat <<-"EOF"
	as it is: $HOME
	EOF
RUN ["echo", "exec", "form"]
SHELL ["/bin/sh", "-e", "-c"]
RUN echo "$-" | grep -o e
`);
  expect(built.output).toBe("script\n/run/gantry-heredoc/EOF\nas it is: $HOME\nexec form\ne\n");
});

test("the environment is fixed where nothing sets it, and none of it reaches the config", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const script =
    'FROM busybox\nENV LANG=de_DE.UTF-8\nRUN echo "$TZ $LANG $PYTHONHASHSEED $SOURCE_DATE_EPOCH"; hostname\n';
  const built = await scene.build(script);
  expect(built.output).toBe("UTC de_DE.UTF-8 0 1500000000\ngantry-build\n");
  expect(built.config.config?.Env).toEqual(["PATH=/bin", "LANG=de_DE.UTF-8"]);
  const free = await scene.build(script, {}, { noFixedEnv: true });
  expect(free.output).toBe(" de_DE.UTF-8  \ngantry-build\n");
});

test("a step that writes nothing makes no layer, and no place of a mount is left in one that does", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const built = await scene.build("FROM busybox\nRUN true\nRUN cat /etc/resolv.conf /etc/hosts > /seen\n");
  expect(built.layers).toHaveLength(2);
  expect(built.config.history?.map((entry) => entry.empty_layer ?? false)).toEqual([false, true, false]);
  expect([...(await layerEntries(scene.store, built.layers[1]!)).keys()]).toEqual(["seen"]);
});

test("a link of the image that leads nowhere gets no file where a mount takes its place", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const text = "FROM busybox\nCOPY links /etc\nRUN echo x > /seen; cat /etc/hosts\n";
  const built = await scene.build(text, { "links/hosts": "-> ../run/deep/hosts" });
  expect(built.output).toContain("localhost");
  expect([...(await layerEntries(scene.store, built.layers.at(-1)!)).keys()]).toEqual(["seen"]);
});

test("files that package tools fill with times leave a RUN's layer, never what COPY brought or the base has", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const log = "var/log/dpkg.log";
  const built = await scene.build(
    `FROM busybox
COPY dpkg.log /${log}
RUN date >> /${log}; mkdir -p /var/cache/ldconfig; date > /var/cache/ldconfig/aux-cache; echo kept > /kept
`,
    { "dpkg.log": "the author's own\n" },
  );
  expect((await layerEntries(scene.store, built.layers[1]!)).get(log)?.text).toBe("the author's own\n");
  const ran = await layerEntries(scene.store, built.layers[2]!);
  expect([...ran.keys()].filter((name) => !name.endsWith("/"))).toEqual(["kept"]);
  const rules = built.events.flatMap((event) => (event.type === "normalised" ? [event.rule] : []));
  expect(rules).toEqual(["package-logs", "linker-aux-cache"]);
  const kept = await scene.build(`FROM busybox\nRUN mkdir -p /var/log; echo x > /${log}\n`, {}, { keepVolatile: true });
  expect((await layerEntries(scene.store, kept.layers[1]!)).get(log)?.text).toBe("x\n");
});

test("a RUN that fails says which line, its exit code and its last lines; nothing is left", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const script = "for n in $(seq 1 50); do echo line $n; done; echo oops; exit 3";
  const error = await failure(scene.build(`FROM busybox\n\nRUN ${script}\n`));
  expect(error.kind).toBe("invalid");
  expect(error.parts.details).toMatchObject({ file: "Dockerfile", line: 3, column: 1, exitCode: 3 });
  expect(error.message).toContain("ended with exit code 3");
  expect(error.message).toContain("line 50\n  oops");
  expect(error.message).not.toContain("line 20\n");
  expect(readdirSync(join(scene.folder, "build"))).toEqual([]);
  expect(scene.store.snapshots.list()).toEqual([]);
});

test("an abort ends a RUN and all it started within a second, with nothing mounted or left", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const controller = new AbortController();
  let aborted = 0;
  const text = "FROM busybox\nRUN trap '' TERM INT; sleep 1000 & echo started; sleep 1000\n";
  const work = scene.build(text, {}, {}, controller.signal, (event) => {
    if (event.type !== "log") return;
    aborted = performance.now();
    controller.abort();
  });
  expect((await failure(work)).kind).toBe("cancelled");
  expect(performance.now() - aborted).toBeLessThan(1000);
  expect(readMountTable().filter((mount) => mount.mountPoint.startsWith(scene.folder))).toEqual([]);
  expect(readdirSync(join(scene.folder, "build"))).toEqual([]);
  expect(scene.store.snapshots.list()).toEqual([]);
});

test("limits and added hosts reach the step", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const more = {
    addHosts: ["db:192.0.2.7"],
    limits: { ulimits: [{ name: "nofile", soft: 77, hard: 88 }], shmSize: 1024 * 1024 },
  };
  const built = await scene.build(
    "FROM busybox\nRUN grep db /etc/hosts; ulimit -n; stat -f -c %b /dev/shm\n",
    {},
    more,
  );
  expect(built.output).toBe("192.0.2.7\tdb\n77\n256\n");
});

// The runtime gives a foreground process sockets, which cannot be opened again by name; pipes can.
test("what a RUN writes to /dev/stdout and /dev/stderr arrives", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const built = await scene.build("FROM busybox\nRUN echo out > /dev/stdout; echo err > /dev/stderr\n");
  expect(built.output.split("\n").sort()).toEqual(["", "err", "out"]);
});

for (const [text, what] of [
  ["RUN --mount=type=ssh true", "RUN --mount=type=ssh"],
  ["RUN --security=insecure true", "RUN --security=insecure"],
  ["RUN --device=nvidia.com/gpu true", "RUN --device"],
] as const) {
  test(`${what} is refused by name and place until it is executed`, async () => {
    await using scene = await openBuildScene();
    await scene.plantBusybox();
    const error = await failure(scene.build(`FROM busybox\n${text}\n`));
    expect(error.kind).toBe("unsupported");
    expect(error.message).toContain(`line 2, column 5: ${what} is not executed by this version`);
  });
}

// CVE-2024-21626: a working folder that is a descriptor somebody left open would be the host.
for (const path of ["/proc/self/fd/7", "/proc/self/cwd", "/dev/fd/8"]) {
  test(`WORKDIR ${path} is refused with its place`, async () => {
    await using scene = await openBuildScene();
    await scene.plantBusybox();
    const error = await failure(scene.build(`FROM busybox\nWORKDIR ${path}\nRUN pwd\n`));
    expect(error.kind).toBe("invalid");
    expect(error.message).toContain("line 2");
  });
}

test("a WORKDIR that is a link to an open descriptor leads no RUN out of the image", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  for (let fd = 3; fd <= 12; fd++) {
    const text = `FROM busybox\nRUN ln -s /proc/self/fd/${fd} /way\nWORKDIR /way\nRUN cat ../../../../../../etc/hostname\n`;
    const error = await failure(scene.build(text));
    // Refused, or run inside the image, which has no such file.
    if (error.parts.details?.exitCode !== undefined) expect(error.message).toContain("No such file");
  }
}, 20_000);
