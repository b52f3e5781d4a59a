import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { tarStream } from "#formats/tar/streams.ts";
import { tarEntry } from "#formats/tar/writer.ts";
import { type Result, startEngine, type TestEngine } from "./support/engine.ts";

/**
 * Wrong input of every kind: the error names the thing and the next step, the engine lives, nothing stays half-written.
 * Host and Origin checks (row 85 of the list) have nothing to guard yet: the engine listens on a unix socket alone.
 */
let engine: TestEngine;
let empty: string;
let pid: number;
beforeAll(async () => {
  engine = await startEngine();
  empty = join(engine.folder, "empty");
  mkdirSync(empty);
  pid = await engine.pid();
});
afterAll(async () => {
  // None of all this ended the engine.
  expect(await engine.pid()).toBe(pid);
  expect(await engine.ok("check", "--json")).toBe('{"findings":[],"remaining":[]}');
  await engine[Symbol.asyncDispose]();
});

/** What there is: images, containers, volumes, and what waits in the store for a name. */
async function inventory(): Promise<object> {
  const ids = async (path: string, key: string) => {
    const answer = (await (await fetch(`http://engine${path}`, { unix: engine.socket })).json()) as object;
    const list = (Array.isArray(answer) ? answer : (answer as { Volumes: unknown }).Volumes) as Record<
      string,
      string
    >[];
    return list.map((item) => item[key]).sort();
  };
  return {
    images: await ids("/images/json?all=1", "Id"),
    containers: await ids("/containers/json?all=1", "Id"),
    volumes: await ids("/volumes", "Name"),
    ingest: readdirSync(join(engine.folder, "data/ingest")),
    builds: readdirSync(join(engine.folder, "run/build")),
  };
}

/** Runs it, expects a refusal whose text holds all `words`, and that nothing of it stays. */
async function refused(answer: () => Promise<Result>, code: number, ...words: (string | RegExp)[]): Promise<string> {
  const before = await inventory();
  const result = await answer();
  expect(result).toMatchObject({ code });
  for (const word of words) expect(result.err).toMatch(word instanceof RegExp ? word : literally(word));
  expect(result.err).not.toMatch(/\n\s+at .*\.ts|undefined|\[object/);
  expect(await inventory()).toEqual(before);
  return result.err;
}

const literally = (text: string) => new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
const build = (dockerfile: string) => () => engine.feed(dockerfile, "build", "-q", "-f", "-", empty);

const sha256 = (bytes: Uint8Array | string) => `sha256:${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`;

interface Entry {
  readonly name: string;
  readonly content: Uint8Array;
}

async function tarOf(entries: readonly Entry[]): Promise<Uint8Array<ArrayBuffer>> {
  const stream = tarStream(async (tar) => {
    for (const { name, content } of entries) {
      const entry = { name: Buffer.from(name), type: "file" as const, mode: 0o644, size: content.length };
      await tar.entry(tarEntry(entry), content);
    }
  });
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const json = (value: unknown) => Buffer.from(JSON.stringify(value));

/** A docker-archive of one layer. */
function archiveOf(layer: Uint8Array, diffId: string): Promise<Uint8Array<ArrayBuffer>> {
  const config = { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [diffId] }, config: {} };
  return tarOf([
    { name: "config.json", content: json(config) },
    { name: "layer.tar", content: layer },
    { name: "manifest.json", content: json([{ Config: "config.json", RepoTags: ["bad:1"], Layers: ["layer.tar"] }]) },
  ]);
}

/** A registry that serves these paths, whatever they say. */
function registry(paths: Readonly<Record<string, { readonly body: Uint8Array | string; readonly type?: string }>>) {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      const path = new URL(request.url).pathname;
      if (path === "/v2/") return new Response("{}");
      const found = paths[path];
      if (found === undefined) return Response.json({ errors: [{ code: "MANIFEST_UNKNOWN" }] }, { status: 404 });
      const type = found.type ?? "application/octet-stream";
      return new Response(found.body, { headers: { "content-type": type } });
    },
  });
  return {
    host: `127.0.0.1:${server.port}`,
    async [Symbol.asyncDispose]() {
      await server.stop(true);
    },
  };
}

const manifestType = "application/vnd.oci.image.manifest.v1+json";

/** Config and manifest of one gzip layer, as a registry's paths. */
function imagePaths(layer: Uint8Array, diffId: string, claimed = sha256(layer)) {
  const config = json({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [diffId] },
    config: {},
  });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: sha256(config), size: config.length },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: claimed, size: layer.length }],
  });
  return {
    digest: sha256(manifest),
    paths: {
      "/v2/bad/image/manifests/1": { body: manifest, type: manifestType },
      [`/v2/bad/image/manifests/${sha256(manifest)}`]: { body: manifest, type: manifestType },
      [`/v2/bad/image/blobs/${sha256(config)}`]: { body: config },
      [`/v2/bad/image/blobs/${claimed}`]: { body: layer },
    },
  };
}

test("a wrong Dockerfile is refused with line, column, the line itself and the nearest right word", async () => {
  await refused(build("FROM busybox\nCOPPY a b\n"), 1, "line 2, column 1", "COPPY a b", "did you mean COPY?");
  await refused(build("FROM busybox\n  ENTRYPIONT x\n"), 1, "line 2, column 3", "did you mean ENTRYPOINT?");
  await refused(build("FROM busybox\nCOPY --chwon=1 a b\n"), 1, "line 2, column 6", "did you mean --chown?");
  await refused(build("FROM busybox\nCOPY --from=nowhere a b\n"), 1, "line 2", "nowhere");
  await refused(build("FROM busybox\nCOPY missing /\n"), 1, "line 2", "missing");
  await refused(build("FROM busybox\nRUN exit 3\n"), 1, "line 2", "3");
  await refused(build("RUN true\n"), 1, "line 1", "FROM");
  await refused(build(""), 1, "FROM");
  await refused(build("FROM busybox\nEXPOSE many\n"), 1, "line 2", "many");
  await refused(build("FROM $NOT_SET\n"), 1, "line 1");
});

test("a base that is nowhere is refused with where it was looked for and how to get one", async () => {
  await refused(
    build("FROM 127.0.0.1:1/no/such:base\n"),
    1,
    "line 1",
    "127.0.0.1:1/no/such:base",
    "nothing listens there",
    "gantry bootstrap",
  );
  await using there = registry({});
  await refused(build(`FROM ${there.host}/no/such:base\n`), 1, "line 1", "no/such:base");
});

test("an unreachable registry, a missing image and a name that is none are told apart", async () => {
  await refused(() => engine.gantry("pull", "127.0.0.1:1/x:1"), 1, "127.0.0.1:1", "cannot be reached");
  await using there = registry({});
  await refused(() => engine.gantry("pull", `${there.host}/x:1`), 1, `${there.host}/x:1`);
  await refused(() => engine.gantry("pull", "UPPER"), 1, "UPPER", "lower case");
  await refused(() => engine.gantry("pull", "busybox@sha256:abc"), 1, "digest");
  await refused(() => engine.gantry("push", "127.0.0.1:1/never/here:1"), 1, "127.0.0.1:1/never/here:1");
});

test("a registry that answers a digest with other bytes is caught, for manifests and for layers", async () => {
  const layer = Bun.gzipSync(await tarOf([{ name: "file", content: Buffer.from("content") }]));
  const good = imagePaths(layer, sha256(Bun.gunzipSync(layer)));
  const other = `sha256:${"0".repeat(64)}`;
  await using liar = registry({
    ...good.paths,
    [`/v2/bad/image/manifests/${other}`]: good.paths["/v2/bad/image/manifests/1"]!,
  });
  await refused(() => engine.gantry("pull", `${liar.host}/bad/image@${other}`), 1, other, good.digest);
  await using second = registry(imagePaths(layer, sha256(Bun.gunzipSync(layer)), other).paths);
  await refused(() => engine.gantry("pull", `${second.host}/bad/image:1`), 1, /digest/);
  // The layer is what it claims, but not what the config says is in it.
  await using third = registry(imagePaths(layer, other).paths);
  await refused(() => engine.gantry("pull", `${third.host}/bad/image:1`), 1, other);
});

test("after a refused pull the same name pulls when the registry is right", async () => {
  const content = await tarOf([{ name: "file", content: Buffer.from("content") }]);
  const layer = Bun.gzipSync(content);
  const cut = layer.slice(0, layer.length - 12);
  await using broken = registry(imagePaths(cut, sha256(content)).paths);
  await refused(() => engine.gantry("pull", `${broken.host}/bad/image:1`), 1, /layer|gzip|stops/);
  const good = imagePaths(layer, sha256(content));
  await using right = registry(good.paths);
  await engine.ok("pull", `${right.host}/bad/image@${good.digest}`);
  await engine.ok("rmi", `${right.host}/bad/image@${good.digest}`);
});

test("a truncated archive and a layer that is not what its config says are refused by load", async () => {
  const whole = await tarOf([{ name: "file", content: new Uint8Array(200_000).fill(7) }]);
  await refused(async () => engine.feed(await archiveOf(whole, sha256("other")), "load"), 1, sha256("other"));
  const archive = await archiveOf(whole, sha256(whole));
  await refused(async () => engine.feed(archive.slice(0, archive.length - 60_000), "load"), 1, /archive/);
});

test("a layer whose tar stops in the middle is refused by load itself, naming the image and the layer", async () => {
  const whole = await tarOf([{ name: "file", content: new Uint8Array(200_000).fill(7) }]);
  const cut = whole.slice(0, 100_000);
  const archive = await archiveOf(cut, sha256(cut));
  await refused(async () => engine.feed(archive, "load"), 1, "bad:1", sha256(cut), "stops in the middle");
  await refused(() => engine.gantry("run", "--rm", "--pull", "never", "bad:1", "true"), 125, "No such image");
});

test("a root file system whose tar stops in the middle is refused by import", async () => {
  const whole = await tarOf([{ name: "file", content: new Uint8Array(200_000).fill(7) }]);
  await refused(async () => engine.feed(whole.slice(0, 100_000), "import", "-", "cut:1"), 1, "stops in the middle");
});

test("CVE-2017-14992: a layer that grows without end is refused with bounded memory, and what it wrote is gone", async () => {
  // A file of 64 GiB says its header; a few kilobytes of gzip begin it.
  const stream = tarStream(async (tar) => {
    await tar.entry(
      tarEntry({ name: Buffer.from("bomb"), type: "file", mode: 0o644, size: 1 << 16 }),
      new Uint8Array(1 << 16),
    );
  });
  const small = new Uint8Array(await new Response(stream).arrayBuffer());
  const header = small.slice(0, 512);
  writeSize(header, 64 * 2 ** 30);
  const zeros = Bun.gzipSync(new Uint8Array(1 << 24), { level: 9 });
  const bomb = Buffer.concat([Bun.gzipSync(header), ...Array.from({ length: 16 }, () => zeros)]);
  const peak = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]);
  const before = peak();
  const served = imagePaths(bomb, sha256("anything"));
  await using there = registry(served.paths);
  await refused(() => engine.gantry("pull", `${there.host}/bad/image:1`), 1);
  expect(peak() - before).toBeLessThan(150 * 1024);
});

/** A tar header's size in base 256, and its checksum. */
function writeSize(header: Uint8Array, size: number): void {
  const view = new DataView(header.buffer, header.byteOffset);
  header.fill(0, 124, 136);
  header[124] = 0x80;
  view.setBigUint64(128, BigInt(size));
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.set(Buffer.from(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
}

test("garbage is refused by load and import, in every amount", async () => {
  const noise = new Uint8Array(300_000).map((_, index) => (index * 2654435761) >>> 13);
  for (const verb of [["load"], ["import", "-", "garbage:1"]]) {
    for (const bytes of [new Uint8Array(100), noise.slice(0, 511), noise, Bun.gzipSync(noise)]) {
      await refused(() => engine.feed(bytes, ...verb), 1);
    }
  }
  await refused(() => engine.gantry("load", "-i", "/no/such/file"), 1, "/no/such/file");
  await refused(() => engine.gantry("import", "/no/such/file"), 1, "/no/such/file");
});

test("a taken port and a taken name are refused with who has them", async () => {
  await using taken = await new Promise<{ port: number } & AsyncDisposable>((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      resolve({ port, [Symbol.asyncDispose]: () => new Promise((done) => server.close(() => done())) });
    });
  });
  await refused(() => engine.gantry("run", "--rm", "-p", `${taken.port}:80`, "busybox", "true"), 125, `${taken.port}`);
  await engine.ok("create", "--name", "taken", "busybox", "true");
  await refused(
    () => engine.gantry("create", "--name", "taken", "busybox", "true"),
    1,
    '"taken"',
    "choose another name",
  );
  await engine.ok("rm", "taken");
});

test("a refused create leaves no volume that nothing names", async () => {
  await engine.ok("create", "--name", "taken", "busybox", "true");
  for (const flags of [
    ["--name", "taken"],
    ["--network", "nope"],
    ["--ulimit", "nofile=99999999"],
    ["--stop-signal", "NOPE"],
    ["--log-opt", "max-size=big"],
    ["-w", "/proc/self/fd/3"],
    ["-p", "8.8.8.8:80:80"],
    ["--sysctl", "kernel.core_pattern=x"],
    ["--cap-add", "NOPE"],
  ]) {
    await engine.gantry("run", "--rm", "-v", "/anonymous", ...flags, "busybox", "true");
    expect({ flags, volumes: await engine.ok("volume", "ls", "-q") }).toEqual({ flags, volumes: "" });
  }
  await engine.ok("rm", "taken");
});

test("a limit above the machine's own, and a setting that is none, are refused with what would do", async () => {
  const run =
    (...flags: string[]) =>
    () =>
      engine.gantry("run", "--rm", ...flags, "busybox", "true");
  await refused(run("--ulimit", "nofile=99999999"), 125, "nofile", "hard limit", "at most");
  await refused(run("--ulimit", "nonsense=1"), 125, "nonsense");
  await refused(run("--network", "nope"), 125, '"nope"', "network ls");
  await refused(run("--network", "container:nope"), 125, '"nope"', "ps -a");
  await refused(run("-p", "99999:80"), 125, "99999", "65535");
  await refused(run("-p", "8.8.8.8:80:80"), 125, "8.8.8.8");
  await refused(run("-m", "1k"), 125, "512 KiB");
  await refused(run("-m", "lots"), 125, "lots");
  await refused(run("--cpus", "1000"), 125, "1000", "this machine has");
  await refused(run("--cap-add", "NOPE"), 125, "NOPE");
  await refused(run("--stop-signal", "NOPE"), 125, "NOPE");
  await refused(run("--log-opt", "nope=1"), 125, '"nope"', "max-size");
  await refused(run("--log-driver", "syslog"), 125, "--log-driver");
  await refused(run("-v", "relative/x:/y"), 125, "relative/x", "absolute path");
  await refused(run("--name", "a b"), 125, "a b");
  // 127 as in docker, which takes any "no such file" for a missing program.
  await refused(run("--device", "/dev/no-such"), 127, "/dev/no-such");
  await refused(run("--mount", "type=bind,source=/no/such,target=/x"), 125, "/no/such");
});

test("an unknown verb, flag or filter is refused with the nearest or all right ones", async () => {
  await refused(() => engine.gantry("pss"), 2, "pss", "'ps'");
  await refused(() => engine.gantry("engine", "strat"), 2, "strat");
  await refused(() => engine.gantry("run", "--netwrok", "none", "busybox"), 2, "--netwrok", "--network");
  await refused(() => engine.gantry("ps", "--alll"), 2, "--alll", "--all");
  await refused(() => engine.gantry("exec"), 2, "container", "--help");
  for (const words of [["ps"], ["images"], ["volume", "ls"], ["events", "--since", "1h", "--until", "1s"]]) {
    await refused(() => engine.gantry(...words, "--filter", "nope=1"), 1, '"nope"', "Known are");
    await refused(() => engine.gantry(...words, "--filter", "nope"), 1, "name=value");
  }
  await refused(() => engine.gantry("kill", "nope"), 1, '"nope"', "ps -a");
  await refused(() => engine.gantry("inspect", "nope"), 1, "nope");
});

test("a build context that is no folder, no archive or climbs out is refused", async () => {
  await refused(() => engine.gantry("build", "/no/such/folder"), 1, "/no/such/folder");
  await refused(() => engine.gantry("build", "-f", "/no/such/Dockerfile", empty), 1, "/no/such/Dockerfile");
  const file = join(engine.folder, "plain-file");
  writeFileSync(file, "text");
  await refused(() => engine.gantry("build", file), 1, file);
  const climbing = await tarOf([
    { name: "Dockerfile", content: Buffer.from("FROM busybox\n") },
    { name: "../../climbed", content: Buffer.from("x") },
  ]);
  const send = async (body: Uint8Array<ArrayBuffer>): Promise<string> => {
    const init = { method: "POST", body, unix: engine.socket };
    return (await fetch("http://engine/v1.51/build?q=1", init)).text();
  };
  await send(climbing);
  for (const body of [climbing.slice(0, 1000), new Uint8Array(Buffer.from("garbage"))]) {
    expect(await send(body)).toMatch(/"(error|message)"/);
  }
  expect(readdirSync(engine.folder)).not.toContain("climbed");
  expect(readdirSync(join(engine.folder, "data/contexts"))).toEqual([]);
});
