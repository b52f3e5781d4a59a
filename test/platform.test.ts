import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatPlatform, hostPlatform } from "#formats/oci/platform.ts";
import { tarStream } from "#formats/tar/streams.ts";
import { tarEntry } from "#formats/tar/writer.ts";
import { busyboxTar } from "./support/busybox.ts";
import { startEngine, type TestEngine } from "./support/engine.ts";

/** An index of two platforms. Both run here: the other one's programs are this machine's too, only named differently. */
const host = hostPlatform();
const other = { os: "linux", architecture: host.architecture === "amd64" ? "arm64" : "amd64" };
const [hostName, otherName] = [formatPlatform(host), formatPlatform(other)];

const sha256 = (bytes: Uint8Array | string) => `sha256:${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`;
const oci = "application/vnd.oci.image";
const served = new Map<string, { readonly body: Uint8Array | string; readonly type: string }>();
let engine: TestEngine;
let server: ReturnType<typeof Bun.serve>;
let image: string;

beforeAll(async () => {
  engine = await startEngine();
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      const found = served.get(new URL(request.url).pathname.replace(/^\/v2\/[^/]+\/(manifests|blobs)\//, ""));
      if (found !== undefined) return new Response(found.body, { headers: { "content-type": found.type } });
      return new Response("{}", { status: new URL(request.url).pathname === "/v2/" ? 200 : 404 });
    },
  });
  image = `127.0.0.1:${server.port}/both:1`;
  const manifests = [await offer(host), await offer(other)];
  serve(
    JSON.stringify({ schemaVersion: 2, mediaType: `${oci}.index.v1+json`, manifests }),
    `${oci}.index.v1+json`,
    "1",
  );
});
afterAll(async () => {
  await server.stop(true);
  await engine[Symbol.asyncDispose]();
});

function serve(body: Uint8Array | string, type: string, tag?: string) {
  const digest = sha256(body);
  served.set(digest, { body, type });
  if (tag !== undefined) served.set(tag, { body, type });
  return { mediaType: type, digest, size: Buffer.byteLength(body) };
}

/** busybox and a file that says for which platform. */
async function offer(platform: { readonly os: string; readonly architecture: string }) {
  const name = formatPlatform(platform);
  const said = new Uint8Array(
    await new Response(
      tarStream((tar) =>
        tar.entry(
          tarEntry({ name: Buffer.from("platform"), type: "file", mode: 0o644, size: name.length }),
          Buffer.from(name),
        ),
      ),
    ).arrayBuffer(),
  );
  const layers = [await busyboxTar(), said];
  const rootfs = { type: "layers", diff_ids: layers.map(sha256) };
  const config = serve(
    JSON.stringify({ ...platform, rootfs, config: { Cmd: ["cat", "/platform"] } }),
    `${oci}.config.v1+json`,
  );
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: `${oci}.manifest.v1+json`,
    config,
    layers: layers.map((layer) => serve(layer, `${oci}.layer.v1.tar`)),
  });
  return { ...serve(manifest, `${oci}.manifest.v1+json`), platform };
}

test("a platform that is not here is a missing image: pulled, unless nobody may", async () => {
  await engine.ok("pull", "-q", image);
  const refused = await engine.gantry("run", "--rm", "--pull", "never", "--platform", otherName, image);
  expect(refused.code).toBe(125);
  expect(refused.err).toContain(
    `image with reference ${image} was found but does not provide the specified platform (${otherName})`,
  );
  const pulled = await engine.gantry("run", "--rm", "--platform", otherName, image);
  expect(pulled).toMatchObject({ code: 0, out: otherName });
  expect(pulled.err).toContain(`Unable to find image '${image}' locally`);
  expect(await engine.gantry("run", "--rm", "--platform", otherName, "--pull", "never", image)).toMatchObject({
    code: 0,
    out: otherName,
  });
  expect(await engine.ok("run", "--rm", image)).toBe(hostName);
  expect((await engine.client(["docker", "run", "--rm", "--platform", otherName, image])).out).toBe(otherName);
});

test("a container keeps its platform through stop and start", async () => {
  await engine.ok("create", "--name", "kept", "--platform", otherName, image);
  expect(await engine.ok("start", "-a", "kept")).toBe(otherName);
  expect(await engine.ok("start", "-a", "kept")).toBe(otherName);
  await engine.ok("rm", "kept");
});

test("pull of one platform and then the other keeps both", async () => {
  await engine.ok("rmi", "-f", image);
  await engine.ok("pull", "-q", "--platform", otherName, image);
  expect((await engine.gantry("run", "--rm", "--pull", "never", image)).err).toContain(`platform (${hostName})`);
  const shown = ["docker", "image", "inspect", "-f", "{{.Os}}/{{.Architecture}}", image];
  expect((await engine.client(shown)).out).toBe(`${otherName}\n`);
  await engine.ok("pull", "-q", "--platform", hostName, image);
  expect((await engine.client(shown)).out).toBe(`${hostName}\n`);
  for (const name of [hostName, otherName])
    expect(await engine.ok("run", "--rm", "--pull", "never", "--platform", name, image)).toBe(name);
});

test("an image of one platform is not taken for another, and one nobody asked for is warned of", async () => {
  const tar = join(engine.folder, "busybox.tar");
  await engine.ok("import", "--platform", otherName, tar, "alien:1");
  const asked = await engine.gantry("run", "--rm", "--pull", "never", "--platform", hostName, "alien:1", "true");
  expect(asked.err).toContain(`does not provide the specified platform (${hostName})`);
  const unasked = await engine.gantry("run", "--rm", "alien:1", "echo", "ran");
  expect(unasked).toMatchObject({ code: 0, out: "ran\n" });
  expect(unasked.err).toContain(`The requested image's platform (${otherName}) does not match`);
  expect((await engine.gantry("pull", "--platform", "linux/riscv64", image)).err).toContain("linux/riscv64");
});

test("a build starts from the base of its platform, or from none", async () => {
  const folder = join(engine.folder, "platform-context");
  mkdirSync(folder);
  const build = async (from: string, ...words: string[]) => {
    writeFileSync(join(folder, "Dockerfile"), `FROM ${from}\nCMD ["cat", "/platform"]\n`);
    return engine.gantry("build", "-q", "-t", "made:1", ...words, folder);
  };
  await engine.ok("rmi", "-f", image);
  await engine.ok("pull", "-q", image);
  expect((await build(image, "--platform", otherName)).code).toBe(0);
  expect(await engine.ok("run", "--rm", "--platform", otherName, "made:1")).toBe(otherName);
  expect((await build(image)).code).toBe(0);
  expect(await engine.ok("run", "--rm", "made:1")).toBe(hostName);
  const alien = await build("alien:1");
  expect(alien.code).toBe(1);
  expect(alien.err).toContain(`not here for ${hostName}`);
  expect((await build("alien:1", "--platform", otherName)).code).toBe(0);
});
