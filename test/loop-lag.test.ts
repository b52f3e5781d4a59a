import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mediaTypes } from "#formats/oci/contract.ts";
import { digestOf } from "#formats/oci/digest.ts";
import { encodeDocument } from "#formats/oci/image-config.ts";
import { serveRegistry } from "#images/transfer/testing/served-registry.ts";
import { writeLayer } from "../bench/material/layer.ts";
import { startEngine, type TestEngine } from "./support/engine.ts";
import { leastLag } from "./support/loop-lag.ts";

/** The engine's event loop is never blocked for longer, whatever is moved, hashed, unpacked and removed. */
const bar = 50;
const shape = { files: 28_000, bytes: 500e6, noise: 0.3 };

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ bare: true });
  await engine.ok("info");
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

function imageOf(layer: string, size: number) {
  const architecture = process.arch === "arm64" ? "arm64" : "amd64";
  const config = encodeDocument({
    architecture,
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: [layer] },
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: digestOf(config), size: config.length },
    layers: [{ mediaType: mediaTypes.layer, digest: layer, size }],
  };
  return { config, manifest };
}

/** An OCI layout of one image, named "1". */
function writeLayout(folder: string): void {
  const blob = (digest: string) => join(folder, "blobs/sha256", digest.slice(7));
  mkdirSync(join(folder, "blobs/sha256"), { recursive: true });
  const layer = writeLayer(join(folder, "layer"), shape);
  renameSync(layer.path, blob(layer.digest));
  const { config, manifest } = imageOf(layer.digest, layer.size);
  writeFileSync(blob(digestOf(config)), config);
  const bytes = encodeDocument(manifest);
  writeFileSync(blob(digestOf(bytes)), bytes);
  writeFileSync(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  const named = { mediaType: mediaTypes.manifest, digest: digestOf(bytes), size: bytes.length };
  const annotations = { "org.opencontainers.image.ref.name": "1" };
  writeFileSync(
    join(folder, "index.json"),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...named, annotations }] }),
  );
}

/** The most megabytes the engine's process ever had, its Workers included. */
async function memory(): Promise<number> {
  const status = readFileSync(`/proc/${await engine.pid()}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+)/m.exec(status)![1]) / 1024;
}

test("500 MB in 28,000 files are pulled while an image of that size is removed, and the engine keeps answering", async () => {
  await using registry = await serveRegistry();
  for (const name of ["old", "new"]) {
    const path = join(engine.folder, `${name}.tar`);
    const { size } = writeLayer(path, shape);
    const digest = await registry.at.pushBlob("big", readFileSync(path));
    rmSync(path);
    const { config, manifest } = imageOf(digest, size);
    await registry.at.pushBlob("big", config);
    expect((await registry.at.pushManifest("big", name, manifest)).status).toBe(201);
  }
  const image = (name: string) => `${registry.domain}/big:${name}`;
  await engine.ok("pull", image("old"));
  const exchange = (gone: string, wanted: string) => () => () =>
    Promise.all([engine.ok("rmi", image(gone)), engine.ok("pull", image(wanted))]);
  const tries = [exchange("old", "new"), exchange("new", "old"), exchange("old", "new")];
  expect(await leastLag(engine, bar, tries)).toBeLessThanOrEqual(bar);
  expect(await engine.ok("images", "-q")).not.toBe("");
}, 120_000);

test("500 MB are pushed to the engine's registry and pulled from it by skopeo, and neither loop nor memory feels it", async () => {
  const address = "127.0.0.1:5598";
  // What the engine had at most before is not this test's.
  await engine.ok("engine", "stop");
  await engine.ok("registry", "serve", "--address", address);
  const before = await memory();
  const copy = (...words: string[]) => engine.client(["skopeo", "--insecure-policy", "copy", "-q", ...words]);
  const pushAndPull = (name: string) => () => {
    // Bytes of its own each time: skopeo sends none that it knows to be there.
    const layout = join(engine.folder, name);
    writeLayout(layout);
    const there = `docker://${address}/${name}:1`;
    return async () => {
      const push = ["--dest-tls-verify=false", `oci:${layout}:1`, there];
      expect(await copy("--preserve-digests", ...push)).toMatchObject({ code: 0 });
      const pull = ["--src-tls-verify=false", there, `oci:${layout}-back:1`];
      expect(await copy("--preserve-digests", ...pull)).toMatchObject({ code: 0 });
    };
  };
  const tries = ["one", "two", "three"].map(pushAndPull);
  expect(await leastLag(engine, bar, tries)).toBeLessThanOrEqual(bar);
  expect((await memory()) - before).toBeLessThan(100);
}, 120_000);
