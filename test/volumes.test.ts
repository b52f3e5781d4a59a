import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startEngine, type TestEngine } from "./support/engine.ts";

let engine: TestEngine;

beforeAll(async () => {
  engine = await startEngine();
});

afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

const ok = (...words: string[]) => engine.ok(...words);
const sh = (mounts: readonly string[], script: string) =>
  engine.gantry("run", "--rm", ...mounts, "busybox", "sh", "-c", script);
const folderOf = (name: string) => ok("volume", "inspect", "-f", "{{.Mountpoint}}", name);

test("a tmpfs volume is mounted with its first user, shared, gone with its last, and its size holds", async () => {
  await ok("volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=1m,uid=1000", "memory");
  await ok("run", "-d", "--name", "m1", "-v", "memory:/m", "busybox", "sh", "-c", "echo one > /m/file; sleep 1000");
  await ok("run", "-d", "--name", "m2", "-v", "memory:/m", "busybox", "sleep", "1000");
  expect(await ok("exec", "m2", "sh", "-c", "stat -c %u /m; cat /m/file; df -k /m | tail -1")).toMatch(
    /^1000\none\ntmpfs +1024 /,
  );
  await ok("rm", "-f", "m1");
  expect(await ok("exec", "m2", "cat", "/m/file")).toBe("one");
  await ok("rm", "-f", "m2");
  expect((await sh(["-v", "memory:/m"], "cat /m/file")).code).toBe(1);
  expect((await engine.gantry("volume", "rm", "memory")).code).toBe(0);
});

test("an engine that comes after a kill knows what is mounted for whom", async () => {
  await ok("volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "kept");
  await ok("run", "-d", "--name", "k1", "-v", "kept:/m", "busybox", "sh", "-c", "echo one > /m/file; sleep 1000");
  process.kill(await engine.pid(), "SIGKILL");
  await ok("run", "-d", "--name", "k2", "-v", "kept:/m", "busybox", "sleep", "1000");
  expect(await ok("exec", "k2", "cat", "/m/file")).toBe("one");
  await ok("rm", "-f", "k1");
  expect(await ok("exec", "k2", "cat", "/m/file")).toBe("one");
  await ok("rm", "-f", "k2");
});

test("a bind volume shows the host's folder, and a mount that fails is refused in mount's words", async () => {
  const folder = join(engine.folder, "host");
  mkdirSync(folder);
  writeFileSync(join(folder, "file"), "host\n");
  await ok("volume", "create", "-o", "type=none", "-o", "o=bind,ro", "-o", `device=${folder}`, "bound");
  expect((await sh(["-v", "bound:/b"], "cat /b/file")).out).toBe("host\n");
  await ok("volume", "rm", "bound");
  expect(readdirSync(folder)).toEqual(["file"]);
  await ok("volume", "create", "-o", "type=none", "-o", "o=bind", "-o", "device=/nowhere/at-all", "bad");
  const refused = await sh(["-v", "bad:/b"], "true");
  expect(refused.err).toContain('Cannot use the volume "bad": failed to mount local volume');
  expect(refused.err).toContain("/nowhere/at-all");
  expect(await ok("ps", "-aq")).toBe("");
});

test("a part of a volume is mounted, and no link in it leads to the host", async () => {
  await sh(["-v", "parts:/p"], "mkdir -p /p/a/b; echo inside > /p/a/b/file; ln -s / /p/root; ln -s a /p/near");
  const part = (subpath: string) => ["--mount", `src=parts,dst=/x,volume-subpath=${subpath}`];
  expect((await sh(part("a/b"), "cat /x/file; ls /x")).out).toBe("inside\nfile\n");
  expect((await sh(part("a/b/file"), "cat /x")).out).toBe("inside\n");
  // A link is resolved as if the volume were "/".
  expect((await sh(part("root"), "ls /x")).out).toBe("a\nnear\nroot\n");
  expect((await sh(part("near/b"), "ls /x")).out).toBe("file\n");
  symlinkSync("/etc", join(await folderOf("parts"), "host"));
  expect((await sh(part("host"), "ls /x")).err).toContain("the volume holds no such path");
  expect((await sh(part("none"), "ls /x")).err).toContain("the volume holds no such path");
  expect((await sh(part("../.."), "ls /x")).err).toContain("holds ..");
  expect((await sh(part("/etc"), "ls /x")).err).toContain("absolute");
  await ok("create", "--name", "stopped", ...part("a/b"), "busybox", "true");
  await ok("cp", "stopped:/x/file", join(engine.folder, "copied"));
  expect(readFileSync(join(engine.folder, "copied"), "utf8")).toBe("inside\n");
  await ok("rm", "stopped");
  expect(readdirSync(join(await folderOf("parts"), "a/b"))).toEqual(["file"]);
});

test("volumes of another container are taken over, read-only when asked, and outlive it", async () => {
  await ok(
    "run",
    "--name",
    "first",
    "-v",
    "/anonymous",
    "-v",
    "named:/n",
    "busybox",
    "sh",
    "-c",
    "echo 1 > /anonymous/f",
  );
  const from = (mode: string) => ["--volumes-from", `first${mode}`];
  expect((await sh(from(""), "cat /anonymous/f; echo 2 > /n/f; cat /n/f")).out).toBe("1\n2\n");
  expect((await sh(from(":ro"), "touch /n/g")).err).toContain("Read-only");
  expect((await sh([...from(""), "-v", "other:/n"], "ls /n")).out).toBe("");
  await ok("run", "-d", "--name", "second", ...from(""), "busybox", "sleep", "1000");
  await ok("rm", "-v", "first");
  expect(await ok("exec", "second", "cat", "/anonymous/f")).toBe("1");
  await ok("rm", "-f", "-v", "second");
  expect(await ok("volume", "ls", "-qf", "name=named")).toBe("named");
});

test("an image is mounted read-only, whole or in part, and cannot be removed meanwhile", async () => {
  await ok("tag", "busybox", "content:1");
  const seen = await sh(["--mount", "type=image,src=content:1,dst=/i"], "ls /i/etc; touch /i/x");
  expect(seen.out).toBe("group\npasswd\n");
  expect(seen.err).toContain("Read-only");
  const part = ["--mount", "type=image,src=content:1,dst=/i,image-subpath=etc"];
  expect((await sh(part, "ls /i")).out).toBe("group\npasswd\n");
  await ok("rmi", "content:1");
});

test("clone, snapshot, export and import carry owners, modes, times, links, holes and attributes", async () => {
  const fill = [
    "chown 5:6 /v; chmod 700 /v; echo text > /v/file; ln /v/file /v/hard; ln -s file /v/soft; mkdir /v/d; chmod 2750 /v/d; chown 7:8 /v/d",
    "dd if=/dev/zero of=/v/sparse bs=1 count=1 seek=10000000 2>/dev/null; mknod /v/pipe p; touch -d @1000000000 /v/file",
  ];
  expect((await sh(["-v", "orig:/v"], fill.join("; "))).err).toBe("");
  Bun.spawnSync(["setfattr", "-n", "user.mark", "-v", "1", join(await folderOf("orig"), "file")]);
  await ok("volume", "create", "--label", "stage=1", "labelled");
  expect(await ok("volume", "clone", "orig", "copy")).toBe("copy");
  const snapshot = await ok("volume", "snapshot", "orig");
  expect(snapshot).toMatch(/^orig-\d{8}T\d{6}Z$/);
  expect(await ok("volume", "inspect", "-f", '{{index .Labels "io.gantry.snapshot.of"}}', snapshot)).toBe("orig");
  const tar = join(engine.folder, "volume.tar");
  await ok("volume", "export", "-o", tar, "orig");
  expect(await ok("volume", "import", "carried", tar)).toBe("carried");
  // The root's own time is that of the last file in it.
  const each = 'while read f; do stat -c "%n %F %a %u:%g %h %s %Y" "$f"; done';
  const listing = `cd /v; stat -c "%a %u:%g" .; find . -mindepth 1 | sort | ${each}; readlink soft`;
  const of = async (name: string) => (await sh(["-v", `${name}:/v`], listing)).out;
  const original = await of("orig");
  expect(original).toContain("./hard regular file 644 0:0 2 5 1000000000");
  for (const name of ["copy", snapshot, "carried"]) expect(await of(name)).toBe(original);
  expect(statSync(join(await folderOf("copy"), "sparse")).blocks).toBeLessThan(100);
  expect((await engine.gantry("volume", "clone", "orig", "copy")).err).toContain("there is a volume of that name");
});

test("a volume that is written to is not copied, unless its containers are frozen meanwhile", async () => {
  await ok("run", "-d", "--name", "writer", "-v", "busy:/v", "busybox", "sleep", "1000");
  const refused = await engine.gantry("volume", "clone", "busy", "nope");
  expect(refused.err).toContain("Stop them first, or use --pause");
  expect(await ok("volume", "clone", "--pause", "busy", "frozen")).toBe("frozen");
  expect(await ok("inspect", "-f", "{{.State.Status}}", "writer")).toBe("running");
  await ok("rm", "-f", "writer");
});

test("a renamed volume stays with its containers, running or not, also after the engine's end", async () => {
  await ok("run", "-d", "--name", "user", "-v", "before:/v", "busybox", "sleep", "1000");
  await ok("exec", "user", "sh", "-c", "echo kept > /v/file");
  await ok("volume", "rename", "before", "after");
  expect(await ok("inspect", "-f", "{{range .Mounts}}{{.Name}}{{end}} {{index .HostConfig.Binds 0}}", "user")).toBe(
    "after after:/v",
  );
  expect((await engine.gantry("volume", "rm", "after")).err).toContain("volume is in use - [user]");
  process.kill(await engine.pid(), "SIGKILL");
  await ok("restart", "-t", "0", "user");
  expect(await ok("exec", "user", "cat", "/v/file")).toBe("kept");
  await ok("volume", "create", "before");
  expect((await sh(["-v", "before:/v"], "ls /v")).out).toBe("");
  await ok("rm", "-f", "user");
  expect((await sh(["-v", "after:/v"], "cat /v/file")).out).toBe("kept\n");
});
