import { expect, test } from "bun:test";
import { digestOf } from "./digest.ts";
import {
  choosePlatform,
  formatPlatform,
  hostPlatform,
  normalizePlatform,
  parsePlatform,
  platformFit,
} from "./platform.ts";

test("platforms have one spelling each", () => {
  for (const [written, shown] of [
    ["linux/amd64", "linux/amd64"],
    ["linux/x86_64", "linux/amd64"],
    ["linux/arm64/v8", "linux/arm64"],
    ["linux/aarch64", "linux/arm64"],
    ["linux/arm", "linux/arm/v7"],
    ["linux/armel", "linux/arm/v6"],
    ["arm64", "linux/arm64"],
    ["LINUX/AMD64/v3", "linux/amd64/v3"],
  ] as const)
    expect(formatPlatform(parsePlatform(written))).toBe(shown);
  for (const bad of ["", "a/b/c/d", "linux/../x", "linux/", "a b"]) expect(() => parsePlatform(bad)).toThrow();
  expect(hostPlatform().os).toBe("linux");
});

test("an older variant runs on a newer machine, never the other way", () => {
  const arm = (variant: string) => ({ os: "linux", architecture: "arm", variant });
  expect(platformFit(arm("v7"), arm("v6"))).toBeGreaterThan(0);
  expect(platformFit(arm("v6"), arm("v7"))).toBe(0);
  expect(platformFit(arm("v7"), arm("v7"))).toBeGreaterThan(platformFit(arm("v7"), arm("v5")));
  expect(
    platformFit({ os: "linux", architecture: "amd64" }, { os: "linux", architecture: "amd64", variant: "v3" }),
  ).toBe(0);
  expect(normalizePlatform({ os: "Linux", architecture: "AMD64", variant: "v1" })).toEqual({
    os: "linux",
    architecture: "amd64",
  });
});

test("an index's best entry is chosen, attestations never", () => {
  const entry = (os: string, architecture: string) => ({
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest: digestOf(os + architecture),
    size: 1,
    platform: { os, architecture },
  });
  const index = [entry("unknown", "unknown"), entry("linux", "arm64"), entry("linux", "amd64")];
  expect(choosePlatform(index, parsePlatform("linux/amd64"))).toBe(index[2]!);
  expect(choosePlatform(index, parsePlatform("linux/s390x"))).toBeUndefined();
  const { platform: _, ...bare } = index[0]!;
  expect(choosePlatform([bare], parsePlatform("linux/amd64"))).toBe(bare);
});
