import { expect, test } from "bun:test";
import fc from "fast-check";
import { isKind } from "#base/core/errors.ts";
import { documentLimit, mediaTypes } from "./contract.ts";
import { digestOf } from "./digest.ts";
import { childrenOf, parseDocument } from "./document.ts";
import { parseImageConfig } from "./image-config.ts";

const bytes = (value: unknown) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
const blob = (mediaType: string) => ({ mediaType, digest: digestOf(mediaType), size: 7 });
const manifest = {
  schemaVersion: 2,
  mediaType: mediaTypes.manifest,
  config: blob(mediaTypes.config),
  layers: [blob(mediaTypes.layerGzip), blob(mediaTypes.layer)],
};
const index = {
  schemaVersion: 2,
  manifests: [{ ...blob(mediaTypes.manifest), platform: { os: "linux", architecture: "amd64" } }],
};
const config = { os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [digestOf("l")] } };

test("manifests and indexes of OCI and Docker are read", () => {
  const read = parseDocument(bytes(manifest));
  expect(read).toEqual({ kind: "manifest", manifest: manifest as never });
  expect(childrenOf(read).length).toBe(3);
  expect(parseDocument(bytes(index), { mediaType: mediaTypes.index }).kind).toBe("index");
  const docker = { ...manifest, mediaType: mediaTypes.dockerManifest };
  expect(parseDocument(bytes(docker), { mediaType: mediaTypes.dockerManifest }).kind).toBe("manifest");
  expect(parseDocument(bytes({ ...index, mediaType: mediaTypes.dockerManifestList })).kind).toBe("index");
});

test("row 23: a document with layers and manifests, or of another type than announced, is refused", () => {
  expect(() => parseDocument(bytes({ ...manifest, manifests: index.manifests }))).toThrow(/both manifests and layers/);
  expect(() => parseDocument(bytes({ ...index, config: manifest.config }))).toThrow(/both manifests and layers/);
  expect(() => parseDocument(bytes(manifest), { mediaType: mediaTypes.index })).toThrow(/but came as/);
  expect(() => parseDocument(bytes({ ...manifest, mediaType: "text/html" }))).toThrow(/neither/);
});

test("row 26: a document above 4 MiB is refused", () => {
  const big = { ...manifest, annotations: { a: "x".repeat(documentLimit) } };
  expect(() => parseDocument(bytes(big))).toThrow(/more than 4194304/);
});

const badDocuments: Record<string, unknown> = {
  "no JSON": "{",
  null: null,
  "a list": [],
  "invalid UTF-8": "",
  "nesting without end": "[".repeat(1_000_000),
  "no schemaVersion": { ...manifest, schemaVersion: undefined },
  "schema 1": { ...manifest, schemaVersion: 1 },
  "schemaVersion as text": { ...manifest, schemaVersion: "2" },
  "null layers": { ...manifest, layers: null },
  "null in layers": { ...manifest, layers: [null] },
  "layers as object": { ...manifest, layers: {} },
  "null config": { ...manifest, config: null },
  "config as text": { ...manifest, config: "x" },
  "negative size": { ...manifest, config: { ...manifest.config, size: -1 } },
  "fractional size": { ...manifest, config: { ...manifest.config, size: 1.5 } },
  "size beyond a double": `{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"${digestOf("")}","size":9007199254740993},"layers":[]}`,
  "size as text": { ...manifest, config: { ...manifest.config, size: "7" } },
  "digest as path": { ...manifest, config: { ...manifest.config, digest: "sha256:../../x" } },
  "digest as number": { ...manifest, config: { ...manifest.config, digest: 7 } },
  "media type with a newline": { ...manifest, config: { ...manifest.config, mediaType: "a/b\nc" } },
  "annotations with numbers": { ...manifest, annotations: { a: 1 } },
  "annotations as list": { ...manifest, annotations: [] },
  "urls with null": { ...manifest, layers: [{ ...manifest.layers[0], urls: [null] }] },
  "platform without os": { ...index, manifests: [{ ...index.manifests[0], platform: { architecture: "amd64" } }] },
};

for (const [name, bad] of Object.entries(badDocuments)) {
  test(`row 27: a manifest with ${name} is refused as invalid`, () => {
    const input = name === "invalid UTF-8" ? new Uint8Array([0x7b, 0xff, 0x7d]) : bytes(bad);
    expect(() => parseDocument(input)).toThrow(/Cannot read the image manifest/);
  });
}

test("a config keeps what the specification and Docker know and takes null as absent", () => {
  const full = {
    ...config,
    created: "2020-01-01T00:00:00Z",
    config: {
      User: "1:2",
      Env: ["A=b"],
      Cmd: ["sh"],
      Volumes: { "/v": {} },
      ExposedPorts: { "80/tcp": {} },
      Labels: { a: "b" },
      Healthcheck: { Test: ["CMD", "true"], Interval: 1_000_000_000 },
      OnBuild: ["RUN true"],
      Shell: ["/bin/bash", "-c"],
    },
    history: [{ created_by: "x", empty_layer: true }],
  };
  expect(parseImageConfig(bytes(full)) as unknown).toEqual(full);
  const nulls = { ...config, config: { Env: null, Volumes: null, Healthcheck: null }, history: null };
  expect(parseImageConfig(bytes(nulls)) as unknown).toEqual({ ...config, config: {} });
  expect(parseImageConfig(bytes({ ...config, rootfs: { type: "layers", diff_ids: null } })).rootfs.diff_ids).toEqual(
    [],
  );
});

test("a config with wrong types is refused as invalid", () => {
  for (const bad of [
    { ...config, rootfs: null },
    { ...config, rootfs: { type: "other", diff_ids: [] } },
    { ...config, rootfs: { type: "layers", diff_ids: ["sha256:x"] } },
    { ...config, config: { Env: [1] } },
    { ...config, config: { Labels: { a: null } } },
    { ...config, os: 7 },
    { rootfs: config.rootfs },
    { ...config, __proto__: null, config: { Env: "A=b" } },
  ])
    expect(() => parseImageConfig(bytes(bad))).toThrow(/Cannot read the image config/);
});

test("any JSON gives a document or the error invalid", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc
          .record({
            schemaVersion: fc.constant(2),
            layers: fc.anything(),
            config: fc.anything(),
            manifests: fc.anything(),
          })
          .map((value) => JSON.stringify(value) ?? ""),
      ),
      (text) => {
        try {
          parseDocument(bytes(text));
        } catch (error) {
          if (!isKind(error, "invalid")) throw error;
        }
      },
    ),
  );
});
