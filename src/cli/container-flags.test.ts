import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { GantryError } from "#base/core/errors.ts";
import { type ContainerFlags, createBody, declareContainerFlags, environment } from "./container-flags.ts";

const folder = mkdtempSync(join(tmpdir(), "flags-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What `gantry create` sends for these words. */
function body(words: readonly string[], detached = false) {
  const command = new Command("create").exitOverride().configureOutput({ writeErr: () => undefined });
  declareContainerFlags(command);
  let found: ReturnType<typeof createBody> | undefined;
  command.action((image: string, rest: string[], flags: ContainerFlags) => {
    found = createBody(flags, image, rest, { HOME: "/home/me" }, detached);
  });
  command.parse([...words], { from: "user" });
  return found!;
}

test("words after the image are the program's own, flags or not", () => {
  const asked = body(["--rm", "-it", "busybox", "ls", "--rm", "-l"]);
  expect(asked).toMatchObject({ Image: "busybox", Cmd: ["ls", "--rm", "-l"], Tty: true, OpenStdin: true });
  expect(asked.HostConfig?.AutoRemove).toBe(true);
  expect(body(["busybox"])).not.toHaveProperty("Cmd");
});

test("standard input is attached only when it is asked for, and closes with its client only when somebody stays", () => {
  expect(body(["x"])).toMatchObject({ AttachStdin: false, AttachStdout: true, OpenStdin: false, StdinOnce: false });
  expect(body(["-i", "x"])).toMatchObject({ AttachStdin: true, OpenStdin: true, StdinOnce: true });
  expect(body(["-i", "x"], true)).toMatchObject({ AttachStdout: false, OpenStdin: true, StdinOnce: false });
  expect(body(["-a", "stderr", "x"])).toMatchObject({ AttachStdout: false, AttachStderr: true });
});

test("limits come in the API's units", () => {
  expect(body(["--cpus", "1.5", "-m", "64m", "--memory-swap", "-1", "--shm-size", "1g", "x"]).HostConfig).toMatchObject(
    {
      NanoCpus: 1_500_000_000,
      Memory: 67108864,
      MemorySwap: -1,
      ShmSize: 1073741824,
    },
  );
  expect(body(["--ulimit", "nofile=1024:2048", "--ulimit", "core=unlimited", "x"]).HostConfig?.Ulimits).toEqual([
    { Name: "nofile", Soft: 1024, Hard: 2048 },
    { Name: "core", Soft: -1, Hard: -1 },
  ]);
});

test("volumes split into binds and anonymous ones, relative sources are the caller's", () => {
  const asked = body(["-v", "./d:/x:ro", "-v", "named:/y", "-v", "/z", "x"]);
  expect(asked.HostConfig?.Binds).toEqual([`${resolve("./d")}:/x:ro`, "named:/y"]);
  expect(asked.Volumes).toEqual({ "/z": {} });
});

test("an empty entrypoint takes the image's away", () => {
  expect(body(["--entrypoint", "", "x", "ls"]).Entrypoint).toEqual([""]);
  expect(body(["--entrypoint", "sh", "x"]).Entrypoint).toEqual(["sh"]);
});

test("variables come from the flags over the files, a bare name from the caller or not at all", () => {
  const file = join(folder, "vars");
  writeFileSync(file, "# note\r\nA=1\r\n\n  B = two \nHOME\nNONE\n");
  expect(environment({ env: ["A=2", "HOME", "UNSET"], envFile: [file] }, { HOME: "/home/me" })).toEqual([
    "A=1",
    "B = two ",
    "HOME=/home/me",
    "A=2",
    "HOME=/home/me",
  ]);
  expect(() => environment({ env: ["=x"], envFile: [] }, {})).toThrow("it has no name");
  expect(() => environment({ env: [], envFile: [`${folder}/none`] }, {})).toThrow("the file cannot be read");
});

test("a value that cannot be meant is refused, naming the flag", () => {
  for (const words of [
    ["--cpus", "many"],
    ["--memory", "lots"],
    ["--ulimit", "nofile"],
    ["--pids-limit", ""],
    ["-p", "http"],
    ["--label", "=x"],
    ["--security-opt", `seccomp=${folder}/none`],
  ]) {
    expect(() => body([...words, "x"])).toThrow(GantryError);
  }
});
