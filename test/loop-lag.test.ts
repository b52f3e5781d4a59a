import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { mediaTypes } from "#formats/oci/contract.ts";
import { digestOf } from "#formats/oci/digest.ts";
import { encodeDocument } from "#formats/oci/image-config.ts";
import { serveRegistry } from "#images/transfer/testing/served-registry.ts";
import { writeLayer } from "../bench/material/layer.ts";
import { startEngine, type TestEngine } from "./support/engine.ts";
import { lagDuring } from "./support/loop-lag.ts";

/** The engine's event loop is never blocked for longer, whatever is moved, hashed, unpacked and removed. */
const bar = 50;

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ bare: true });
  await engine.ok("info");
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

test("500 MB in 28,000 files are pulled while an image of that size is removed, and the engine keeps answering", async () => {
  await using registry = await serveRegistry();
  for (const name of ["old", "new"]) {
    const path = join(engine.folder, `${name}.tar`);
    const { size } = writeLayer(path, { files: 28_000, bytes: 500e6, noise: 0.3 });
    const digest = await registry.at.pushBlob("big", readFileSync(path));
    rmSync(path);
    const config = encodeDocument({
      architecture: process.arch === "arm64" ? "arm64" : "amd64",
      os: "linux",
      config: {},
      rootfs: { type: "layers", diff_ids: [digest] },
    });
    await registry.at.pushBlob("big", config);
    const manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: { mediaType: mediaTypes.config, digest: digestOf(config), size: config.length },
      layers: [{ mediaType: mediaTypes.layer, digest, size }],
    };
    expect((await registry.at.pushManifest("big", name, manifest)).status).toBe(201);
  }
  const image = (name: string) => `${registry.domain}/big:${name}`;
  await engine.ok("pull", image("old"));
  const { maximum } = await lagDuring(engine, () =>
    Promise.all([engine.ok("rmi", image("old")), engine.ok("pull", image("new"))]),
  );
  expect(maximum).toBeLessThanOrEqual(bar);
  expect(await engine.ok("images", "-q")).not.toBe("");
}, 60_000);
