import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { clientsFolder, withPlugins } from "./support/clients.ts";
import { startEngine, type TestEngine } from "./support/engine.ts";

/** Libraries and programs built on Docker's API, each run by its own interpreter as its users run it. */
let engine: TestEngine;
let clients: string;
beforeAll(async () => {
  engine = await startEngine();
  clients = await clientsFolder();
  await withPlugins(engine, "buildx");
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

const program = (name: string) => join(import.meta.dir, "programs", name);

test("testcontainers waits for logs, ports and health, copies, runs, and finds by name", async () => {
  // Ryuk is an image of Docker Hub's; a machine that is itself a container is taken for one beside the engine.
  const settings = ["env", "TESTCONTAINERS_RYUK_DISABLED=true", "TESTCONTAINERS_HOST_OVERRIDE=localhost"];
  const { code, out, err } = await engine.client([
    ...settings,
    "node",
    program("testcontainers.mjs"),
    join(clients, "npm"),
  ]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(JSON.parse(out)).toEqual({
    page: "hello from inside\n",
    word: { output: "kept\n", stdout: "kept\n", stderr: "", exitCode: 3 },
    byName: expect.stringContaining("hello from inside\n"),
  });
  expect(await engine.ok("ps", "-aq")).toBe("");
});

test("Docker's library for Python creates, copies, executes, builds, measures and cleans up", async () => {
  const { code, out, err } = await engine.client(["/usr/bin/python3", program("docker_sdk.py")]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(JSON.parse(out)).toEqual({
    ping: true,
    run: "from python\n",
    status: "running",
    port: "127.0.0.1",
    exec: [3, "out\n", "err\n"],
    logs: "hello",
    copied: "hello",
    stats: true,
    build: "built\n",
    networks: ["bridge", "sdk"],
    listed: ["sdk"],
    exit: 137,
    gone: true,
  });
  expect(await engine.ok("ps", "-aq")).toBe("");
});

test("the dev-container program brings up an image and a Dockerfile as places to work in", async () => {
  const devcontainer = join(clients, "npm/node_modules/.bin/devcontainer");
  const open = async (name: string, config: object, files: Record<string, string> = {}) => {
    const folder = join(engine.folder, name);
    mkdirSync(join(folder, ".devcontainer"), { recursive: true });
    writeFileSync(join(folder, ".devcontainer/devcontainer.json"), JSON.stringify(config));
    for (const [path, text] of Object.entries({ "file.txt": "of the host\n", ...files })) {
      writeFileSync(join(folder, path), text);
    }
    const { code, out } = await engine.client([devcontainer, "up", "--workspace-folder", folder]);
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('"outcome":"success"') });
    return async (words: string) =>
      (await engine.client([devcontainer, "exec", "--workspace-folder", folder, "sh", "-c", words])).out;
  };
  const inImage = await open("image", {
    image: "busybox",
    postCreateCommand: "echo created > /tmp/made",
    remoteEnv: { WORD: "kept" },
    mounts: ["source=dc-cache,target=/cache,type=volume"],
  });
  expect(await inImage("cat file.txt /tmp/made; echo $WORD; ls -d /cache")).toEndWith(
    "of the host\ncreated\nkept\n/cache\n",
  );
  const inBuild = await open(
    "build",
    { build: { dockerfile: "Dockerfile", args: { WHO: "dev" } } },
    { ".devcontainer/Dockerfile": "FROM busybox\nARG WHO\nRUN echo $WHO > /who\n" },
  );
  expect(await inBuild("cat /who file.txt")).toEndWith("dev\nof the host\n");
  for (const id of (await engine.ok("ps", "-aq")).split("\n")) await engine.ok("rm", "-f", id);
});
