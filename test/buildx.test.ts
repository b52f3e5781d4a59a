import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { startDockerRegistry } from "#images/distribution/testing/servers.ts";
import { withPlugins } from "./support/clients.ts";
import { startEngine, type TestEngine } from "./support/engine.ts";

/** `docker build` as people have it today: the docker program with buildx, speaking BuildKit's protocol. */
let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine();
  await withPlugins(engine, "buildx", "compose");
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

let count = 0;

function folderOf(files: Readonly<Record<string, string>>): string {
  count += 1;
  const folder = join(engine.folder, `context-${count}`);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

const build = (...words: string[]) => engine.client(["docker", "build", "--progress", "plain", ...words]);
const inside = async (image: string, command: string) =>
  (await engine.client(["docker", "run", "--rm", image, "sh", "-c", command])).out;

const idOf = async (image: string) => (await engine.client(["docker", "inspect", "-f", "{{.Id}}", image])).out.trim();

/** Nothing of a build is at work or on the disk any more. */
function leftovers(): string[] {
  return [join(engine.folder, "data/contexts"), join(engine.folder, "run/build")].flatMap((path) => readdirSync(path));
}

test("docker build shows its steps, names the image and gives the digest that gantry build gives", async () => {
  const folder = folderOf({
    Dockerfile:
      "# syntax=docker/dockerfile:1\nFROM busybox\nARG WORD=x\nRUN echo $WORD > /word; echo said\nCOPY . /all\n",
    file: "content\n",
    "deep/er": "",
  });
  const built = await build("--build-arg", "WORD=hello", "--label", "a=b", "-t", "one", "-t", "two:2", folder);
  expect(built).toMatchObject({ code: 0 });
  for (const line of [
    /#\d+ \[internal\] load build definition from Dockerfile\n/,
    /#\d+ \[1\/3\] FROM busybox\n/,
    /#\d+ \[2\/3\] RUN echo \$WORD > \/word; echo said\n#\d+ [\d.]+ said\n#\d+ DONE/,
    /#\d+ \[3\/3\] COPY \. \/all\n/,
    /#\d+ naming to docker.io\/library\/one:latest done\n/,
  ])
    expect(built.err).toMatch(line);
  expect(await inside("two:2", "cat /word /all/file; ls /all/deep")).toBe("hello\ncontent\ner\n");
  const id = await idOf("one");
  expect(await idOf("two:2")).toBe(id);
  const own = await engine.ok("build", "-q", "--no-cache", "--build-arg", "WORD=hello", "--label", "a=b", folder);
  expect(own).toBe(id);
});

test("the second build is cached, and --no-cache runs its steps again to the same digest", async () => {
  const folder = folderOf({ Dockerfile: "FROM busybox\nRUN echo once > /once\n" });
  const iid = join(engine.folder, "iid");
  const metadata = join(engine.folder, "metadata.json");
  expect((await build("--iidfile", iid, folder)).err).not.toContain("CACHED");
  const first = readFileSync(iid, "utf8");
  expect((await build("--iidfile", iid, folder)).err).toMatch(/RUN echo once > \/once\n#\d+ CACHED/);
  expect(readFileSync(iid, "utf8")).toBe(first);
  const again = await build("--no-cache", "-t", "named", "--iidfile", iid, "--metadata-file", metadata, folder);
  expect(again.err).not.toContain("CACHED");
  expect(readFileSync(iid, "utf8")).toBe(first);
  expect(JSON.parse(readFileSync(metadata, "utf8"))).toMatchObject({
    "containerimage.digest": first,
    "image.name": "docker.io/library/named:latest",
  });
  expect(await inside(first, "cat /once")).toBe("once\n");
  expect((await engine.client(["docker", "build", "-q", folder])).out.trim()).toBe(first);
});

test("a RUN that fails shows its output, its line in the Dockerfile and its exit code", async () => {
  const folder = folderOf({ Dockerfile: "FROM busybox AS base\nRUN true\nFROM base AS last\nRUN echo why; exit 7\n" });
  const failed = await build(folder);
  expect(failed.code).toBe(1);
  expect(failed.err).toContain("> [last 2/2] RUN echo why; exit 7:\n");
  expect(failed.err).toMatch(/\n[\d.]+ why\n-+\nDockerfile:4\n/);
  expect(failed.err).toContain("   4 | >>> RUN echo why; exit 7\n");
  expect(failed.err).toEndWith(
    'failed to solve: process "/bin/sh -c echo why; exit 7" did not complete successfully: exit code: 7\n',
  );
  expect((await build("--target", "base", folder)).err).not.toContain("why");
  expect(leftovers()).toEqual([]);
});

test("what cannot be built is refused by its name or its place", async () => {
  const folder = folderOf({
    Dockerfile: "FROM busybox\nRUNN x\n",
    Missing: "FROM busybox\nCOPY nothing /\n",
    Other: "# syntax=example.com/other:1\nFROM busybox\n",
  });
  const refused = async (...words: string[]) => {
    const { code, err } = await build(...words);
    expect(code).toBe(1);
    return err;
  };
  expect(await refused("-f", join(folder, "None"), folder)).toContain("holds no such Dockerfile");
  expect(await refused(folder)).toContain("line 2, column 1: unknown instruction RUNN; did you mean RUN?");
  expect(await refused("-f", join(folder, "Missing"), folder)).toContain('"nothing": nothing in the source matches');
  expect(await refused("-f", join(folder, "Other"), folder)).toContain("example.com/other:1");
  expect(await refused("--target", "nope", "-f", join(folder, "Missing"), folder)).toContain('no stage "nope"');
  expect(await refused("--build-context", `x=${folder}`, folder)).toContain("the named context x");
  expect(await refused("--call", "outline", folder)).toContain("frontend.outline");
  expect(await refused("--cgroup-parent", "x", folder)).toContain("cgroup-parent=x");
  expect(await refused("--output", "type=image", "--annotation", "a=b", folder)).toContain("annotation.a");
  expect(await refused("https://localhost/x.git")).toContain("remote contexts are not served yet");
  expect(leftovers()).toEqual([]);
});

test("an ignore file is honoured, also one that belongs to a Dockerfile elsewhere", async () => {
  const files = { "a.md": "", "keep.md": "", "n/x": "", "o/x": "", "ü,b c%41+d": "" };
  const all = "FROM busybox\nCOPY . /all\n";
  const folder = folderOf({
    ...files,
    Dockerfile: all,
    ".dockerignore": "# none\n*.md\n!keep.md\n/n\nü*\nDockerfile\n",
  });
  expect((await build("-t", "ignored", folder)).code).toBe(0);
  const digest = await idOf("ignored");
  expect(await inside("ignored", "cd /all; find . -type f | sort")).toBe("./.dockerignore\n./keep.md\n./o/x\n");
  expect(await engine.ok("build", "-q", "--no-cache", folder)).toBe(digest);
  const beside = folderOf({ "My.Dockerfile": all, "My.Dockerfile.dockerignore": "o\n" });
  expect((await build("-t", "ignored", "-f", join(beside, "My.Dockerfile"), folder)).code).toBe(0);
  expect(await inside("ignored", "cd /all; find . -type f | wc -l")).toBe("6\n");
});

test("links, modes and files of any size come as they are", async () => {
  const folder = folderOf({ Dockerfile: "FROM busybox\nCOPY . /all\nRUN cd /all; sha256sum big hard; ls -l\n" });
  const made = await engine.client([
    "sh",
    "-ec",
    `cd ${folder}; head -c 9000000 /dev/urandom > big; head -c 5000000 /dev/urandom > five; : > empty; ln big hard; ln -s big soft; ln -s /etc/passwd out; chmod 755 five; mkdir many; for i in $(seq 700); do echo $i > many/$i; done; sha256sum big`,
  ]);
  const built = await build("-t", "links", folder);
  expect(built.code).toBe(0);
  const sum = made.out.slice(0, 64);
  expect(built.err).toContain(`${sum}  big\n`);
  expect(built.err).toContain(`${sum}  hard\n`);
  expect(built.err).toContain("soft -> big\n");
  expect(built.err).toContain("out -> /etc/passwd\n");
  expect(built.err).toMatch(/-rwxr-xr-x .* five\n/);
  expect(await inside("links", "ls /all/many | wc -l; cat /all/many/*| sort -n | md5sum; seq 700 | md5sum")).toMatch(
    /^700\n(\w+ {2}-\n)\1$/,
  );
});

test("a Dockerfile or a whole context may come from standard input", async () => {
  const folder = folderOf({ Dockerfile: "FROM busybox\nCOPY f /f\nRUN cat /f\n", f: "from a tar\n" });
  expect(
    await engine.client(["docker", "build", "-t", "typed", "-"], "FROM busybox\nRUN echo 1 > /typed\n"),
  ).toMatchObject({
    code: 0,
  });
  expect(await inside("typed", "cat /typed")).toBe("1\n");
  const piped = await engine.client(["sh", "-c", `tar -C ${folder} -cz . | docker build --progress plain -`]);
  expect(piped.err).toMatch(/#\d+ [\d.]+ from a tar\n/);
});

test("Ctrl-C and a client that is killed stop the build within a second and leave nothing", async () => {
  const folder = folderOf({ Dockerfile: "FROM busybox\nRUN echo begun; exec sleep 4242\n" });
  for (const signal of ["SIGINT", "SIGKILL"] as const) {
    const child = Bun.spawn(["docker", "build", "--progress", "plain", folder], { env: engine.env, stderr: "pipe" });
    let text = "";
    const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
    while (!/ begun\n/.test(text)) text += (await reader.read()).value ?? "";
    const began = performance.now();
    child.kill(signal);
    await child.exited;
    // The engine writes the end of a build after everything of it is gone.
    while (leftovers().length > 0) {
      expect(performance.now() - began).toBeLessThan(1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await engine.client(["pgrep", "-f", "sleep 4242"])).out).toBe("");
  }
});

test("docker buildx ls, inspect, du, prune and history answer", async () => {
  const buildx = (...words: string[]) => engine.client(["docker", "buildx", ...words]);
  expect((await build(folderOf({ Dockerfile: "FROM busybox\n" }))).code).toBe(0);
  expect((await build(folderOf({ Dockerfile: "FROM busybox\nRUN false\n" }))).code).toBe(1);
  expect((await buildx("ls")).out).toContain("running");
  expect((await buildx("inspect")).out).toContain("linux/");
  expect(await buildx("du")).toMatchObject({ code: 0 });
  const history = await buildx("history", "ls");
  expect(history.out).toContain("Completed");
  expect(history.out).toContain("Error");
  expect(await buildx("prune", "-f")).toMatchObject({ code: 0 });
});

test("without buildx docker build falls back to the classic builder, to the same digest", async () => {
  const folder = folderOf({ Dockerfile: "FROM busybox\nCOPY f /\nRUN echo r > /r\n", f: "f" });
  const quiet = async (env: Record<string, string>) => {
    const words = ["docker", "build", "-q", "--no-cache", folder];
    return (await engine.client(["env", ...Object.entries(env).map((pair) => pair.join("=")), ...words])).out.trim();
  };
  const digest = await quiet({});
  expect(digest).toStartWith("sha256:");
  expect(await quiet({ DOCKER_BUILDKIT: "0" })).toBe(digest);
  expect(await quiet({ DOCKER_CONFIG: join(engine.folder, "empty") })).toBe(digest);
});

test("a private base comes with the credentials of whoever builds, and not without", async () => {
  await using registry = await startDockerRegistry({ me: "secret" });
  const base = `${registry.domain}/team/base:1`;
  const config = join(engine.env.DOCKER_CONFIG!, "config.json");
  const auth = Buffer.from("me:secret").toString("base64");
  writeFileSync(config, JSON.stringify({ auths: { [registry.domain]: { auth } } }));
  for (const words of [
    ["tag", "busybox", base],
    ["push", base],
    ["rmi", base],
  ]) {
    expect(await engine.client(["docker", ...words])).toMatchObject({ code: 0 });
  }
  const folder = folderOf({ Dockerfile: `FROM ${base}\nRUN echo mine\n` });
  rmSync(config);
  const refused = await build(folder);
  expect(refused.code).toBe(1);
  expect(refused.err).toContain("could not be pulled: the registry answers 401");
  writeFileSync(config, JSON.stringify({ auths: { [registry.domain]: { auth } } }));
  const classic = await engine.client(["env", "DOCKER_BUILDKIT=0", "docker", "build", "--pull", folder]);
  expect(classic).toMatchObject({ code: 0 });
  expect(await engine.client(["docker", "rmi", base])).toMatchObject({ code: 0 });
  const built = await build("--no-cache", "-t", `${registry.domain}/team/made:1`, "--push", folder);
  expect(built).toMatchObject({ code: 0 });
  expect(built.err).toContain(" mine\n");
  expect(await engine.client(["docker", "rmi", `${registry.domain}/team/made:1`])).toMatchObject({ code: 0 });
  expect(await engine.client(["docker", "pull", `${registry.domain}/team/made:1`])).toMatchObject({ code: 0 });
});

test("the files of a build go to the client as a folder or a tar, and no image stays", async () => {
  const folder = folderOf({
    Dockerfile: `FROM busybox AS made
RUN mkdir -p /a/b /a-x; head -c 3000000 /dev/urandom > /a/big; for i in $(seq 300); do echo $i > /a/b/$i; done; ln -s ../x /a/l; chmod 4711 /a/b/7; mkfifo /a/p; sha256sum /a/big
FROM scratch
COPY --from=made /a /a
COPY --from=made /a-x /a-x
`,
  });
  const images = async () => (await engine.client(["docker", "images", "-aq", "--no-trunc"])).out;
  const before = await images();
  const out = join(engine.folder, "out");
  const built = await build("--output", out, folder);
  expect(built).toMatchObject({ code: 0 });
  const sum = /(\w{64}) {2}\/a\/big/.exec(built.err)![1]!;
  const listing = await engine.client([
    "sh",
    "-c",
    `cd ${out}; ls -1; ls a/b | wc -l; stat -c '%A %s' a/b/7 a/p; readlink a/l; sha256sum a/big`,
  ]);
  expect(listing.out).toBe(`a\na-x\n300\n-rws--x--x 2\nprw-r--r-- 0\n../x\n${sum}  a/big\n`);
  const tar = await engine.client(["sh", "-c", `docker build -q -o - ${folder} | tar -xO a/big | sha256sum`]);
  expect(tar.out).toBe(`${sum}  -\n`);
  const failed = await build("--output", "type=local,dest=/proc/nowhere", folder);
  expect(failed.err).toContain("mkdir /proc/nowhere");
  expect(await images()).toBe(before);
  expect(leftovers()).toEqual([]);
});

test("RUN --mount: secrets of the client, caches that stay, files of the context and of stages", async () => {
  const folder = folderOf({
    Dockerfile: `FROM busybox AS made
RUN echo staged > /staged
FROM busybox
RUN --mount=type=secret,id=token,required cat /run/secrets/token
RUN --mount=type=secret,id=word,env=WORD echo "$WORD"
RUN --mount=type=cache,target=/cache,sharing=locked echo x >> /cache/count; wc -l < /cache/count
RUN --mount=target=/src --mount=from=made,source=/staged,target=/s cat /src/f /s; ls -A / > /left
`,
    f: "from the context\n",
    token: "tok3n\n",
  });
  const words = ["--secret", `id=token,src=${join(folder, "token")}`, "--secret", "id=word,env=HOME", "-t", "mounted"];
  const built = await build(...words, folder);
  expect(built).toMatchObject({ code: 0 });
  for (const said of ["tok3n", engine.folder, "1", "from the context", "staged"]) {
    expect(built.err).toMatch(new RegExp(`\\n#\\d+ [\\d.]+ ${said}\\n`));
  }
  expect((await build("--no-cache", ...words, folder)).err).toMatch(/\n#\d+ [\d.]+ 2\n/);
  expect(await inside("mounted", "ls -d /cache /src /s /run/secrets; ls -A /")).not.toMatch(/cache|src|secrets/);
  expect(await inside("mounted", "cat $(find / -xdev -type f) | grep -c tok3n")).toBe("0\n");
  expect((await build("--no-cache", folder)).err).toContain("the secret token was not given");
});

test("docker compose builds two services' images and brings them up, with BuildKit and without", async () => {
  const dockerfile = (word: string) => `FROM busybox\nARG W=${word}\nRUN echo $W > /who\nCMD ["sleep", "1000"]\n`;
  const project = folderOf({
    "compose.yaml":
      "services:\n  one: { build: ./one }\n  two: { build: { context: ., dockerfile: two/Dockerfile, args: { W: changed } } }\n  three: { build: { context: ., dockerfile: two/Dockerfile } }\n",
    "one/Dockerfile": dockerfile("first"),
    "two/Dockerfile": dockerfile("second"),
  });
  const compose = (env: string, ...words: string[]) =>
    engine.client(["env", env, "docker", "compose", "--project-directory", project, ...words]);
  for (const env of ["DOCKER_BUILDKIT=1", "DOCKER_BUILDKIT=0"]) {
    expect(await compose(env, "build", "--no-cache")).toMatchObject({ code: 0 });
    expect(await compose(env, "up", "-d")).toMatchObject({ code: 0 });
    const said = await Promise.all(
      ["one", "two", "three"].map(async (name) => (await compose(env, "exec", "-T", name, "cat", "/who")).out),
    );
    expect(said).toEqual(["first\n", "changed\n", "second\n"]);
    expect(await compose(env, "down", "-t", "0", "--rmi", "local")).toMatchObject({ code: 0 });
  }
}, 240_000);
