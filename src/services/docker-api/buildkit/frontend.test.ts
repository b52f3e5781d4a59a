import { expect, test } from "bun:test";
import { wantedBy } from "./frontend.ts";

test("the attributes of docker build become a build request", () => {
  const wanted = wantedBy("dockerfile.v0", {
    filename: "My.Dockerfile",
    target: "last",
    platform: "linux/amd64",
    "build-arg:A": "1",
    "build-arg:SOURCE_DATE_EPOCH": "1700000000",
    "label:l": "m",
    "no-cache": "",
    "image-resolve-mode": "pull",
    "force-network-mode": "none",
    "add-hosts": "one=10.0.0.1,two=fd00::1",
    "shm-size": "1048576",
    ulimit: "nofile=10:20",
    "vcs:source": "anything",
    "local-sessionid:context": "other",
  });
  expect(wanted).toMatchObject({
    dockerfile: "My.Dockerfile",
    dockerfileFolder: "dockerfile",
    contextFolder: "context",
    sharedSessions: { context: "other" },
    warnings: [],
    request: {
      target: "last",
      platform: { os: "linux", architecture: "amd64" },
      buildArgs: { A: "1" },
      labels: { l: "m" },
      noCache: true,
      pull: true,
      sourceDateEpoch: 1700000000,
      network: "none",
      addHosts: ["one:10.0.0.1", "two:fd00::1"],
      limits: { shmSize: 1048576, ulimits: [{ name: "nofile", soft: 10, hard: 20 }] },
    },
  });
  expect(wanted.request.buildArgs).not.toHaveProperty("SOURCE_DATE_EPOCH");
});

test("nothing asked for is the plain build of the context's Dockerfile", () => {
  expect(wantedBy("dockerfile.v0", {})).toMatchObject({
    dockerfile: "Dockerfile",
    request: { buildArgs: {}, noCache: false, pull: false, network: "default", addHosts: [], limits: {} },
  });
});

test("what this builder does not do is refused by its name", () => {
  for (const [frontend, attributes, named] of [
    ["gateway.v0", { source: "example.com/other:1" }, "example.com/other:1"],
    ["llb.v9", {}, "llb.v9"],
    ["dockerfile.v0", { requestid: "frontend.targets" }, "frontend.targets"],
    ["dockerfile.v0", { "context:base": "docker-image://x" }, "the named context base=docker-image://x"],
    ["dockerfile.v0", { context: "https://github.com/a/b.git" }, "https://github.com/a/b.git"],
    ["dockerfile.v0", { context: "http://buildkit-session/../x" }, "http://buildkit-session/../x"],
    ["dockerfile.v0", { "cgroup-parent": "p" }, "cgroup-parent=p"],
    ["dockerfile.v0", { "attest:sbom": "" }, "attest:sbom"],
    ["dockerfile.v0", { "no-cache": "stage" }, "no-cache-filter=stage"],
    ["dockerfile.v0", { platform: "linux/amd64,linux/arm64" }, "linux/amd64,linux/arm64"],
    ["dockerfile.v0", { "force-network-mode": "custom" }, "force-network-mode=custom"],
  ] as const) {
    expect(() => wantedBy(frontend, attributes)).toThrow(`"${named}"`);
    expect(() => wantedBy(frontend, attributes)).toThrow(expect.objectContaining({ kind: "unsupported" }));
  }
  expect(() => wantedBy("dockerfile.v0", { "shm-size": "many" })).toThrow("it is no whole number");
});

test("the language of docker/dockerfile is this builder's own, and a context may be uploaded", () => {
  expect(
    wantedBy("gateway.v0", { source: "docker/dockerfile:1.7", cmdline: "docker/dockerfile:1.7" }).warnings,
  ).toEqual([]);
  expect(wantedBy("dockerfile.v0", { context: "http://buildkit-session/abc" }).upload).toBe("/abc");
  expect(wantedBy("dockerfile.v0", { "cache-imports": "[]" }).warnings).toHaveLength(1);
});
